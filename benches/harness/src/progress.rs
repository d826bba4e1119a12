//! Progress, for a terminal.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

/// A progress line on a terminal. It disappears when it is dropped, also on an error.
pub fn progress(steps: usize) -> ProgressBar {
    let target = if stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(steps as u64), target).with_finish(ProgressFinish::AndClear);
    let style = ProgressStyle::with_template("[{pos}/{len}] {wide_msg} {elapsed}{left}");
    bar.set_style(style.expect("the template is well-formed").with_key("left", left));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// How long the rest will take, once the first step has shown how long one takes.
fn left(state: &ProgressState, text: &mut dyn fmt::Write) {
    if state.pos() > 0 {
        // A line that cannot be formatted is omitted.
        let _ = write!(text, ", about {:#} left", HumanDuration(state.eta()));
    }
}
