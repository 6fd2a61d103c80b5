package main

// The tests look into the store's file over another driver than the store's.
import _ "modernc.org/sqlite"
