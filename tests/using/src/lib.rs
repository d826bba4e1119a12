//! What users write around an executor, in this package's tests: compiled, and tested on every executor of the line-up.
#![forbid(unsafe_code)]
