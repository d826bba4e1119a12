use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Wake, Waker};

use conformance::Allocations;
use conformance::probe::poll_once;
use executor::{Described, Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};
use serde::{Deserialize, Serialize};

use crate::crew::{Crew, spin};
use crate::dice::Dice;
use crate::held::{Held, Tally};

/// Rounds before bytes are compared: these fill the caches of executors and threads.
const WARM_UP: usize = 200;

/// How many of the polled tasks have a handle that the owner keeps. Only the first wake of a task can come too late for
/// the drop, so more tasks give more chances.
const OWN: usize = 8;

/// The longest pause before an action, as a power of two of spins: some microseconds, about as long as a drop.
const PAUSE: u32 = 8;

/// How many rounds to run, and how many threads race in them.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rounds, divided among the numbers of threads.
    pub rounds: usize,
    /// The numbers of threads that act while the executor is dropped.
    pub threads: Vec<usize>,
    /// The seed of all random choices.
    pub seed: u64,
}

impl Plan {
    /// That many rounds, with 1 to 4 threads.
    pub fn new(rounds: usize) -> Self {
        Self { rounds, threads: vec![1, 2, 3, 4], seed: 1 }
    }
}

/// Counts of what went wrong. Nothing did if all but `rounds` are 0.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Rounds that were run.
    pub rounds: usize,
    /// Rounds that left a future undropped.
    pub rounds_with_undropped: u64,
    /// Futures that were never dropped, and live at the end.
    pub undropped: u64,
    /// Futures that were dropped more than once.
    pub dropped_again: u64,
    /// Polls of futures that had ended.
    pub polled_after_end: u64,
    /// Rounds after which more or fewer bytes were live than after the previous round.
    pub rounds_with_bytes: u64,
    /// The bytes that are live at the end, less those after the first rounds.
    pub bytes: i64,
    /// Handles that yielded nothing although the executor was gone.
    pub unresolved: u64,
    /// Joiners that waited and were not woken when the executor was dropped.
    pub joiners_not_woken: u64,
    /// Handles that reported an end before the future was dropped.
    pub reported_early: u64,
    /// Handles that yielded a panic or another task's value.
    pub wrong_results: u64,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn are_none(&self) -> bool {
        *self == Self { rounds: self.rounds, ..Self::default() }
    }

    /// What went wrong, in words that are the same from run to run.
    pub fn verdicts(&self) -> Vec<&'static str> {
        let verdicts = [
            (self.undropped, "leaves futures undropped"),
            (self.dropped_again, "drops a future twice"),
            (self.polled_after_end, "polls a future after its end"),
            (self.rounds_with_bytes, "leaves memory allocated"),
            (self.unresolved, "has handles that never resolve"),
            (self.joiners_not_woken, JOINER_NOT_WOKEN),
            (self.reported_early, "reports an end before the future is dropped"),
            (self.wrong_results, "yields wrong results"),
        ];
        verdicts.into_iter().filter(|(count, _)| *count > 0).map(|(_, verdict)| verdict).collect()
    }
}

impl fmt::Display for Findings {
    /// The counts that are not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.undropped, "futures undropped"),
            (self.rounds_with_undropped, "rounds with one undropped"),
            (self.dropped_again, "futures dropped again"),
            (self.polled_after_end, "polls after the end"),
            (self.rounds_with_bytes, "rounds that changed the live bytes"),
            (self.unresolved, "handles unresolved"),
            (self.joiners_not_woken, "joiners not woken"),
            (self.reported_early, "ends reported early"),
            (self.wrong_results, "wrong results"),
        ];
        write!(f, "{} rounds", self.rounds)?;
        counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, what)| write!(f, ", {count} {what}"))?;
        if self.bytes != 0 { write!(f, ", {} bytes live", self.bytes) } else { Ok(()) }
    }
}

/// The verdict on a joiner that goes on sleeping.
pub const JOINER_NOT_WOKEN: &str = "does not wake a joiner that waits when the executor is dropped";

type Handle = Box<dyn JoinHandle<usize>>;
type SpawnFn = Box<dyn Fn(Held) -> Handle + Send>;

/// An executor that is dropped while other threads wake, clone and drop its wakers, and join and abort its tasks.
#[derive(Debug)]
pub struct Race<E> {
    spawner: fn(&E) -> Option<SpawnFn>,
}

impl<E: Executor + Described> Race<E>
where
    E::JoinHandle<usize>: 'static,
{
    /// Without spawns during the drop, because the executor has no spawner.
    #[expect(clippy::new_without_default, reason = "neither constructor is the obvious default")]
    pub fn new() -> Self {
        Self { spawner: |_| None }
    }

    /// With spawns: the other threads have a spawner each.
    pub fn with_spawner() -> Self
    where
        E: RemoteSpawn,
        <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
    {
        Self {
            spawner: |executor| {
                let spawner = executor.spawner();
                Some(Box::new(move |future| Box::new(spawner.spawn(future))))
            },
        }
    }

    /// Runs the rounds, and calls `seen` after each with the findings so far.
    ///
    /// # Panics
    ///
    /// When the executor, or one of its wakers or handles, panics; when the program does not count allocations.
    pub fn run(&self, plan: &Plan, mut seen: impl FnMut(&Findings)) -> Findings {
        assert!(Allocations::are_counted(), "a race needs `CountingAllocator` as the program's global allocator");
        let mut dice = Dice::new(plan.seed);
        let mut findings = Findings::default();
        for (index, &threads) in plan.threads.iter().enumerate() {
            let from = plan.rounds * index / plan.threads.len();
            let to = plan.rounds * (index + 1) / plan.threads.len();
            let mut series = Series { crew: Crew::new(threads), tally: Arc::default(), dice: dice.split() };
            for _ in 0..WARM_UP {
                self.round(&mut series, &mut Findings::default());
            }
            let mut before = series.crew.live_bytes();
            for _ in from..to {
                self.round(&mut series, &mut findings);
                // Compared with the previous round, so that a leak is not found again in every later round.
                let after = series.crew.live_bytes();
                findings.rounds_with_bytes += u64::from(after != before);
                findings.bytes += (after - before) as i64;
                before = after;
                findings.rounds += 1;
                seen(&findings);
            }
        }
        findings
    }

    /// ```text
    /// owner                                   each of the other threads
    ///   make the executor and its tasks
    ///   poll all but one, take their wakers
    ///   begin ─────────────────────────────▶    pause
    ///   pause                                   wake, clone and drop wakers,
    ///   perhaps drive once                      abort, poll and drop a handle,
    ///   drop the executor                       spawn: in random order
    ///   await the others ◀──────────────────    return the handles
    ///   count futures, handles and bytes
    /// ```
    fn round(&self, series: &mut Series, findings: &mut Findings) {
        let Series { crew, tally, dice } = series;
        let executor = E::default();
        let polled: Vec<_> =
            (0..crew.size() + OWN).map(|_| Kept::spawn(tally, |future| Box::new(executor.spawn(future)))).collect();
        let wakers: Arc<[Waker]> = polled.iter().map(|kept| first_waker(&executor, tally, kept.index)).collect();
        let unpolled = Kept::spawn(tally, |future| Box::new(executor.spawn(future)));
        let (kept, theirs) = mpsc::channel();
        let mut polled = polled.into_iter();
        let jobs: Vec<_> = polled
            .by_ref()
            .take(crew.size())
            .map(|own| Kit {
                own,
                spawn: (self.spawner)(&executor),
                wakers: wakers.to_vec(),
                shared: wakers.clone(),
                tally: tally.clone(),
                kept: kept.clone(),
                dice: dice.split(),
            })
            .collect();
        drop((wakers, kept));
        let mut own: Vec<_> = polled.chain([unpolled]).collect();
        // One of the owner's handles has a joiner when the executor is dropped.
        own[0].poll(tally);

        crew.begin(jobs.into_iter().map(|kit| Box::new(move || kit.act()) as Box<dyn FnOnce() + Send>));
        crew.await_begun(dice.below(crew.size() as u64 + 1) as usize);
        spin(dice.pause(PAUSE));
        if dice.below(2) == 0 {
            executor.block_on(yield_now());
        }
        drop(executor);
        crew.await_done();

        own.into_iter().chain(theirs).for_each(|kept| kept.settle(findings, tally));
        let (undropped, again, polled_after_end) = tally.settle();
        findings.rounds_with_undropped += u64::from(undropped > 0);
        findings.undropped += undropped;
        findings.dropped_again += again;
        findings.polled_after_end += polled_after_end;
    }
}

/// What is reused from round to round.
struct Series {
    crew: Crew,
    tally: Arc<Tally>,
    dice: Dice,
}

/// Drives the executor until the task was polled and has left its waker.
fn first_waker<E: Executor>(executor: &E, tally: &Tally, index: usize) -> Waker {
    for _ in 0..1000 {
        if let Some(waker) = tally.take_waker(index) {
            return waker;
        }
        executor.block_on(yield_now());
    }
    panic!("a task was not polled while its executor was driven a thousand times")
}

/// A handle, and what it has reported.
struct Kept {
    index: usize,
    /// `None` if the task was detached.
    handle: Option<Handle>,
    joiner: Option<Arc<Joiner>>,
    resolved: bool,
    reported_early: bool,
    wrong_result: bool,
}

impl Kept {
    fn spawn(tally: &Arc<Tally>, spawn: impl FnOnce(Held) -> Handle) -> Self {
        let (index, future) = tally.future();
        let handle = Some(spawn(future));
        Self { index, handle, joiner: None, resolved: false, reported_early: false, wrong_result: false }
    }

    /// Polls the handle with a new waker, unless it has already yielded its result.
    fn poll(&mut self, tally: &Tally) {
        let Some(handle) = self.handle.as_mut().filter(|_| !self.resolved) else { return };
        let joiner = Arc::new(Joiner::default());
        match poll_once(handle, &Waker::from(joiner.clone())) {
            Poll::Pending => self.joiner = Some(joiner),
            Poll::Ready(result) => {
                self.resolved = true;
                self.reported_early = tally.drops(self.index) == 0;
                self.wrong_result = match result {
                    Ok(value) => value != self.index,
                    Err(JoinError::Cancelled) => false,
                    Err(JoinError::Panicked(_)) => true,
                };
            }
        }
    }

    /// Judges the handle, once the executor is gone.
    fn settle(mut self, findings: &mut Findings, tally: &Tally) {
        if self.handle.is_some() && !self.resolved {
            // Acquire: pairs with the Release in `Joiner::wake`.
            let asleep = self.joiner.take().is_some_and(|joiner| joiner.wakes.load(Acquire) == 0);
            findings.joiners_not_woken += u64::from(asleep);
            self.poll(tally);
            findings.unresolved += u64::from(!self.resolved);
        }
        findings.reported_early += u64::from(self.reported_early);
        findings.wrong_results += u64::from(self.wrong_result);
    }
}

#[derive(Default)]
struct Joiner {
    wakes: AtomicUsize,
}

impl Wake for Joiner {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Release);
    }
}

/// What one of the threads acts on.
struct Kit {
    own: Kept,
    spawn: Option<SpawnFn>,
    wakers: Vec<Waker>,
    /// The same wakers, shared by all threads.
    shared: Arc<[Waker]>,
    tally: Arc<Tally>,
    kept: mpsc::Sender<Kept>,
    dice: Dice,
}

impl Kit {
    /// Does each action once, in random order.
    fn act(mut self) {
        let mut actions: [fn(&mut Self); 9] = [
            Self::wake_by_ref,
            |kit| kit.shared.iter().cloned().for_each(Waker::wake),
            |kit| drop(kit.wakers.pop()),
            |kit| kit.wakers.pop().into_iter().for_each(Waker::wake),
            |kit| kit.wakers.drain(..).for_each(Waker::wake),
            Self::complete,
            Self::spawn,
            |kit| kit.own.poll(&kit.tally),
            Self::end,
        ];
        for last in (1..actions.len()).rev() {
            actions.swap(last, self.dice.below(last as u64 + 1) as usize);
        }
        spin(self.dice.pause(PAUSE));
        for action in actions {
            action(&mut self);
        }
        let Self { own, kept, .. } = self;
        kept.send(own).expect("the owner waits");
    }

    /// Each thread begins with another task, because only the first wake of a task matters.
    fn wake_by_ref(&mut self) {
        let (later, first) = self.shared.split_at(self.dice.below(self.shared.len() as u64) as usize);
        first.iter().chain(later).for_each(Waker::wake_by_ref);
    }

    /// Makes the next poll of the own task its last, if a wake causes one before the executor is dropped.
    fn complete(&mut self) {
        if self.dice.below(2) == 0 {
            self.tally.complete(self.own.index);
            self.shared[self.own.index].wake_by_ref();
        }
    }

    fn spawn(&mut self) {
        let Some(spawn) = &self.spawn else { return };
        let mut kept = Kept::spawn(&self.tally, spawn);
        kept.poll(&self.tally);
        self.kept.send(kept).expect("the owner waits");
    }

    /// Aborts the own task, detaches it, both, or neither.
    fn end(&mut self) {
        let choice = self.dice.below(4);
        if let Some(handle) = self.own.handle.as_ref().filter(|_| choice & 1 != 0) {
            handle.abort();
        }
        if choice & 2 != 0 {
            self.own.handle = None;
        }
    }
}
