use std::cell::Cell;
use std::io::{Write as _, stdout};
use std::panic;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    /// How often the model that runs on this thread has panicked.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Loom ends an execution with more steps than this. Ours have a few hundred.
const MAX_BRANCHES: usize = 20_000;

/// Runs `program` in every interleaving with at most `preemptions` switches away from a thread that could have gone
/// on, or as many as `LOOM_MAX_PREEMPTIONS` says. Prints the number of executions.
///
/// # Panics
///
/// When anything in an execution panics, even if the executor catches it, when all threads wait, and when memory
/// leaks.
pub(crate) fn explore(executor: &str, model: &str, preemptions: usize, program: impl Fn() + Send + Sync + 'static) {
    count_panics();
    let mut builder = loom::model::Builder::new();
    let preemptions = *builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = builder.max_branches.max(MAX_BRANCHES);

    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        PANICS.set(0);
        program();
        assert_eq!(PANICS.get(), 0, "something panicked, and the executor caught it");
    });
    let executions = executions.load(Relaxed);
    // Printed past the capture of tests: this is the result.
    let _ = writeln!(stdout(), "{executor:<12} {model:<40} {executions:>9} executions, {preemptions} preemptions");
}

/// The executor catches a panic of loom inside a poll as a task's panic. It must fail the model nevertheless.
fn count_panics() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
}
