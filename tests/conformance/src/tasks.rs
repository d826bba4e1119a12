//! T: what a task goes through.
//!
//! The cast of these clauses, each in the file that needs it most:
//!
//! | name | is | in |
//! |---|---|---|
//! | `Subject` | a task, alone on its executor, that stays pending until the test makes it end | `subject` |
//! | `End` | how a task ends: it returns, panics, is aborted, or its executor is dropped | `subject` |
//! | `Bomb` | a value that panics when it is dropped | `subject` |
//! | `Fate` | what happens to a join handle: awaited or dropped, when, and on which thread | `join` |
//! | `Keeper` | what keeps a task's memory: the executor, a waker or the handle | `memory` |
//! | `Moment` | when a join waker runs code of its own: cloned, replaced, dropped or woken | `join_waker` |
//! | `Abort` | a way to abort a pending task from outside | `abort` |
//! | `Deed` | what a task does to itself or to another task inside its own poll or drop | `inside` |
//! | `Shaped` | a future of one size and alignment whose output has another | `layout` |
//!
//! Most clauses run a table of cases: every `End`, every `Fate`, and so on. A failure begins with the case's name.

mod abort;
mod abort_handle;
mod inside;
mod join;
mod join_waker;
mod join_waker_panic;
mod layout;
mod memory;
mod panic;
mod poll;
mod subject;

pub use abort::*;
pub use abort_handle::*;
pub use inside::*;
pub use join::*;
pub use join_waker::*;
pub use join_waker_panic::*;
pub use layout::*;
pub use memory::*;
pub use panic::*;
pub use poll::*;
