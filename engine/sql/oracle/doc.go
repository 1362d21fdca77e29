// Package oracle checks the planner by running its plans: bounded ones give
// what PostgreSQL gives, and those that keep running give, after every epoch of
// random changes, what the bounded plan of the same query gives on the same rows,
// under stream keys that identify each row. It holds tests only.
package oracle
