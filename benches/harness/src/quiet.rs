//! Waits for quiet moments, and says when there were none.
//!
//! A slice is shorter than a scheduler's time slice, and of many the shortest is kept. That helps against occasional
//! disturbances. If another program keeps a processor busy all the time, no slice is undisturbed, and figures are wrong
//! by a factor without showing it. So timing waits until the machine is quiet, is repeated if it did not stay quiet,
//! and is marked as disturbed once patience is exhausted.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::{Moment, disturbance};
use crate::observation::Observation;

/// How a [`Watch`] observes the machine, and tells the user why it waits.
pub trait Senses {
    /// What the machine has done so far.
    fn moment(&self) -> Moment;

    /// How much time has passed.
    fn elapsed(&self) -> Duration;

    /// Lets that much time pass.
    fn pause(&self, time: Duration);

    /// Tells the user why it waits.
    fn say(&self, sentence: &str);
}

/// The senses for this machine.
struct Real(Instant);

impl Senses for Real {
    fn moment(&self) -> Moment {
        Moment::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration) {
        thread::sleep(time);
    }

    fn say(&self, sentence: &str) {
        output::say(sentence);
    }
}

/// Ensures that timing happens while the machine does nothing else.
pub struct Watch {
    senses: Box<dyn Senses>,
    /// How long it may wait in all, and how long it may repeat disturbed measurements.
    patience: Duration,
    /// How much of that is left.
    left: Cell<Duration>,
    /// Whether the machine was quiet when it was last looked at.
    quiet: Cell<bool>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watch").field("left", &self.left).finish_non_exhaustive()
    }
}

/// How long to observe the machine to know whether it is quiet: forty ticks on two processors, of which a busy one
/// takes twenty.
const LOOK: Duration = Duration::from_millis(200);

impl Watch {
    /// Watches this machine, with that much patience in all.
    pub fn new(patience: Duration) -> Self {
        Self::with(Real(Instant::now()), patience)
    }

    /// With other senses.
    pub fn with(senses: impl Senses + 'static, patience: Duration) -> Self {
        Self { senses: Box::new(senses), patience, left: Cell::new(patience), quiet: Cell::new(false) }
    }

    /// Times something while the machine is quiet: waits until it is, and repeats a timing during which it did not stay
    /// quiet. If patience runs out first, the rows say what disturbed them.
    ///
    /// # Errors
    ///
    /// When `measure` fails.
    pub fn over<E>(&self, mut measure: impl FnMut() -> Result<Vec<Observation>, E>) -> Result<Vec<Observation>, E> {
        loop {
            self.wait();
            let begun = self.senses.elapsed();
            let mut rows = None;
            let busy = self.during(|| rows = Some(measure()));
            let mut rows = rows.expect("it was called")?;
            if busy.is_none() || self.left.get().is_zero() {
                let timed = rows.iter_mut().filter(|row| row.refusal().is_none());
                timed.for_each(|row| row.busy.clone_from(&busy));
                return Ok(rows);
            }
            self.spend(self.senses.elapsed().saturating_sub(begun));
        }
    }

    /// Measures, and says what disturbed it, if anything.
    pub fn during(&self, act: impl FnOnce()) -> Option<String> {
        let before = self.senses.moment();
        act();
        let busy = disturbance(&before, &self.senses.moment());
        self.quiet.set(busy.is_none());
        busy
    }

    /// Waits until the machine is quiet, or patience runs out. A machine that was quiet a moment ago is not checked
    /// again.
    pub fn wait(&self) {
        while !self.quiet.get() && !self.left.get().is_zero() {
            let busy = self.during(|| self.senses.pause(LOOK));
            if let Some(why) = busy {
                self.complain(&why);
                self.spend(LOOK);
            }
        }
    }

    fn complain(&self, why: &str) {
        if self.left.get() == self.patience {
            let seconds = self.patience.as_secs_f64();
            self.senses.say(&format!("waiting for a quiet moment, {seconds:.0} s at most: {why}"));
        }
    }

    fn spend(&self, time: Duration) {
        self.left.set(self.left.get().saturating_sub(time));
        if self.left.get().is_zero() {
            self.senses.say("there is no quiet moment: what is measured from now on is marked where others disturb it");
        }
    }
}

/// What disturbed these timings, if anything did, and how many figures.
pub fn disturbed(observations: &[Observation]) -> Option<String> {
    let busy: Vec<_> = observations.iter().filter_map(|row| row.busy.as_deref()).collect();
    let reasons: BTreeSet<&str> = busy.iter().copied().collect();
    let all = observations.iter().filter(|row| row.busy.is_some() || is_timed(row)).count();
    Some(format!("{} while {} of {all} figures were taken", reasons.last()?, busy.len()))
}

/// The remark about times of which some were taken on a busy machine.
pub fn doubt(observations: &[Observation]) -> Option<String> {
    let why = disturbed(observations)?;
    Some(format!("These times cannot be trusted, because the machine did something else at the same time: {why}."))
}

/// Whether a busy machine affects this quantity.
pub fn is_timed(row: &Observation) -> bool {
    let timed = [crate::duel::VERB, crate::latency::VERB, crate::idle::VERB, "crossover"];
    row.refusal().is_none() && timed.contains(&&*row.verb)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// A machine with two processors, of which other programs use one up to a given time.
    #[derive(Clone)]
    struct Made {
        elapsed: Rc<Cell<Duration>>,
        busy_until: Duration,
        said: Rc<RefCell<Vec<String>>>,
    }

    impl Made {
        fn new(busy_until: u64) -> Self {
            Self { elapsed: Rc::default(), busy_until: Duration::from_secs(busy_until), said: Rc::default() }
        }

        fn watch(&self, patience: u64) -> Watch {
            Watch::with(self.clone(), Duration::from_secs(patience))
        }

        /// A measurement that takes a second and counts its calls.
        fn measure(&self, times: &Cell<usize>) -> Result<Vec<Observation>, String> {
            times.set(times.get() + 1);
            self.pause(Duration::from_secs(1));
            Ok(vec![Observation::new("duel", "a", "yield_one", "ns", 1.0)])
        }
    }

    impl Senses for Made {
        fn moment(&self) -> Moment {
            let ticks = |time: Duration| Some(time.as_millis() as u64 / 10);
            let elapsed = self.elapsed.get();
            Moment {
                time: 0,
                load: None,
                stolen: Some(0),
                ticks: ticks(2 * elapsed),
                busy: ticks(elapsed.min(self.busy_until)),
                own: Some(0),
            }
        }

        fn elapsed(&self) -> Duration {
            self.elapsed.get()
        }

        fn pause(&self, time: Duration) {
            self.elapsed.set(self.elapsed.get() + time);
        }

        fn say(&self, sentence: &str) {
            self.said.borrow_mut().push(sentence.to_owned());
        }
    }

    #[test]
    fn on_a_quiet_machine_it_is_timed_once_and_nothing_is_said() {
        let (made, times) = (Made::new(0), Cell::new(0));
        let watch = made.watch(30);
        for _ in 0..2 {
            let rows = watch.over(|| made.measure(&times)).expect("it does not fail");
            assert_eq!((rows.len(), &rows[0].busy), (1, &None));
        }
        assert_eq!(times.get(), 2);
        // Checked once before the first, and not again before the second.
        assert_eq!(made.elapsed(), 2 * Duration::from_secs(1) + LOOK);
        assert!(made.said.borrow().is_empty());
    }

    #[test]
    fn it_waits_until_others_are_quiet_and_says_so_once() {
        let (made, times) = (Made::new(5), Cell::new(0));
        let rows = made.watch(30).over(|| made.measure(&times)).expect("it does not fail");
        assert_eq!((times.get(), &rows[0].busy), (1, &None));
        assert!(made.elapsed() >= Duration::from_secs(6), "it waited first");
        let said = made.said.borrow();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("waiting for a quiet moment, 30 s at most: other programs used 50 %"), "{said:?}");
    }

    #[test]
    fn where_it_never_gets_quiet_what_is_timed_is_marked() {
        let (made, times) = (Made::new(1_000), Cell::new(0));
        let watch = made.watch(10);
        for _ in 0..3 {
            let rows = watch.over(|| made.measure(&times)).expect("it does not fail");
            assert_eq!(rows[0].busy.as_deref(), Some("other programs used 50 % of the processors' time"));
        }
        assert_eq!(times.get(), 3, "there is no patience left to repeat anything");
        assert!(made.elapsed() < Duration::from_secs(14), "it waited no longer than it may");
        assert_eq!(made.said.borrow().len(), 2, "that it waits, and that it does not any more");
    }

    #[test]
    fn who_may_not_wait_is_not_looked_at_before() {
        let (made, times) = (Made::new(1_000), Cell::new(0));
        let rows = made.watch(0).over(|| made.measure(&times)).expect("it does not fail");
        assert!(rows[0].busy.is_some());
        assert_eq!(made.elapsed(), Duration::from_secs(1));
        assert!(made.said.borrow().is_empty());
    }

    #[test]
    fn what_was_disturbed_is_timed_again() {
        // Quiet when it is checked, and busy during the first second of measuring.
        let (made, times) = (Made::new(0), Cell::new(0));
        let watch = Watch::with(Late(made.clone()), Duration::from_secs(30));
        let rows = watch.over(|| made.measure(&times)).expect("it does not fail");
        assert_eq!((times.get(), &rows[0].busy), (2, &None));
    }

    /// Like [`Made`], but the other programs begin after [`LOOK`] and end a second later.
    struct Late(Made);

    impl Senses for Late {
        fn moment(&self) -> Moment {
            let busy = self.0.elapsed().saturating_sub(LOOK).min(Duration::from_secs(1));
            Moment { busy: Some(busy.as_millis() as u64 / 10), ..self.0.moment() }
        }

        fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }

        fn pause(&self, time: Duration) {
            self.0.pause(time);
        }

        fn say(&self, sentence: &str) {
            self.0.say(sentence);
        }
    }

    #[test]
    fn a_failure_is_not_repeated() {
        let made = Made::new(1_000);
        let failed = made.watch(0).over(|| Err("hangs".to_owned()));
        assert_eq!(failed, Err("hangs".to_owned()));
    }

    #[test]
    fn a_doubt_names_how_many_figures_and_why() {
        let row = Observation::new("duel", "a", "yield_one", "ns", 1.0);
        assert_eq!(doubt(std::slice::from_ref(&row)), None);
        let busy = Observation { busy: Some("others".to_owned()), ..row.clone() };
        let count = Observation::new("count", "a", "self_wake", "instructions", 1.0);
        let said = doubt(&[row, busy, count]).expect("there is a doubt");
        assert!(said.ends_with(": others while 1 of 2 figures were taken."), "{said}");
    }
}
