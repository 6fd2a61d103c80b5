package store_test

// The tests look into the file over another driver than the store's.
import _ "modernc.org/sqlite"
