package store

// transaction is what a write may do while it is its turn.
type transaction struct{ c *committer }

// exec runs a statement, prepared once in the life of the connection.
func (tx transaction) exec(query string, args ...any) error {
	return tx.c.conn.execute(query, args...)
}

// insert runs a statement that adds one row and returns the row's id.
func (tx transaction) insert(query string, args ...any) (int64, error) {
	err := tx.c.conn.execute(query, args...)
	return tx.c.conn.lastRow(), err
}

// update runs a statement and returns how many rows it has changed.
func (tx transaction) update(query string, args ...any) (int, error) {
	err := tx.c.conn.execute(query, args...)
	return tx.c.conn.changes(), err
}

// row hands the first row of an answer to read; false where there is none.
func (tx transaction) row(query string, read func(*statement), args ...any) (bool, error) {
	return tx.c.conn.row(query, read, args...)
}

// nextReport gives the id of one more report. It is not given again when the transaction
// fails.
func (tx transaction) nextReport() int64 {
	tx.c.store.highest++
	return tx.c.store.highest
}
