//! `hammer [STRATEGY...] [--rounds N] [--with-a-race]`: everything that several threads can do at once to the named
//! strategies, or to all that it can hammer, while a sanitizer watches. `just tsan` and `just memcheck` run it.
//!
//! A strategy can be hammered if other threads may spawn onto it; if it polls only woken tasks, because a task here
//! takes its second poll as proof of its own wake; and if it has handles of its own, because the shared ones keep a
//! result under a lock of std's, whose ordering a sanitizer does not see.
//!
//! In half of the rounds the executor is dropped at the same time; in the other half it is asleep, or about to sleep,
//! and is woken. Nothing here is ordered by a lock or by the end of a thread: all order that a sanitizer sees is the
//! executor's.
//!
//! `--with-a-race` adds a write that nothing orders, to this program's own data: a sanitizer that does not report it is
//! not working.
#![deny(unsafe_code)]

use std::any::TypeId;
use std::env;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::thread;

use conformance::CountingAllocator;
use conformance::probe::poll_once;
use executor::support::TaskHandle;
use executor::{Described, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};
use output::Stop;
use stress::{Crew, Dice, Job, Plan, Race, spin, wait_until};

use crate::letter::Letter;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROUNDS: usize = 2_000;

/// The numbers of threads that wake, each for a share of the rounds.
const THREADS: [usize; 3] = [1, 2, 4];

/// How many rounds an executor is used for.
const TURNS: usize = 16;

/// How long a pause may be, as a power of two of spins: about as long as the driver takes to fall asleep.
const PAUSE: u32 = 9;

/// A strategy, and how to hammer it.
struct Anvil {
    name: &'static str,
    hammer: fn(usize, bool) -> Result<bool, Stop>,
}

macro_rules! anvils {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        static ANVILS: LazyLock<Vec<Anvil>> = LazyLock::new(|| {
            let all: Vec<Option<Anvil>> = vec![$(anvil!($kind lineup::$executor)),*];
            all.into_iter().flatten().collect()
        });
    };
}

macro_rules! anvil {
    (RemoteSpawn $executor:ty) => {
        can_be_hammered::<$executor>().then_some(Anvil { name: <$executor>::NAME, hammer: hammer::<$executor> })
    };
    ($kind:ident $executor:ty) => {
        None
    };
}

lineup::for_each_strategy!(anvils);

fn can_be_hammered<E: RemoteSpawn + Described>() -> bool
where
    E::JoinHandle<u64>: 'static,
{
    E::CAPABILITIES.polls_only_woken && TypeId::of::<E::JoinHandle<u64>>() != TypeId::of::<TaskHandle<u64>>()
}

fn main() -> ExitCode {
    let (mut names, mut rounds, mut with_a_race) = (Vec::new(), ROUNDS, false);
    let mut arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--with-a-race" => with_a_race = true,
            "--rounds" => match arguments.next().unwrap_or_default().parse() {
                Ok(number) if number > 0 => rounds = number,
                _ => return fail(&format!("`--rounds` wants a whole number from 1, such as `--rounds {ROUNDS}`")),
            },
            option if option.starts_with('-') => {
                return fail(&format!("there is no option `{option}`; there are `--rounds N` and `--with-a-race`"));
            }
            name if ANVILS.iter().any(|anvil| anvil.name == name) => names.push(argument),
            name => {
                let known = ANVILS.iter().map(|anvil| anvil.name).collect::<Vec<_>>().join(", ");
                return fail(&format!("there is no strategy `{name}` that can be hammered; there are {known}"));
            }
        }
    }
    // What std and the executors keep for a thread is freed with it, except for the main thread: a leak, to a checker.
    let hammering = thread::spawn(move || {
        let hammer_all = || {
            let mut is_sound = true;
            for anvil in ANVILS.iter().filter(|anvil| names.is_empty() || names.iter().any(|name| name == anvil.name)) {
                is_sound &= (anvil.hammer)(rounds, with_a_race)?;
            }
            Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        };
        hammer_all().unwrap_or_else(|stop: Stop| stop.end())
    });
    hammering.join().unwrap_or(ExitCode::FAILURE)
}

fn hammer<E>(rounds: usize, with_a_race: bool) -> Result<bool, Stop>
where
    E: RemoteSpawn + Described + 'static,
    E::JoinHandle<u64>: 'static,
{
    let plan = Plan { rounds: rounds.div_ceil(2), threads: THREADS.to_vec(), seed: 1 };
    let findings = Race::<E>::with_spawner().run(&plan, |_| {});
    for threads in THREADS {
        wake_sleeper::<E>(rounds.div_ceil(2 * THREADS.len()), threads, with_a_race);
    }
    output::line(format_args!("hammer: {rounds} rounds of {}; dropped among wakes: {findings}", E::NAME))?;
    Ok(findings.are_none())
}

fn fail(message: &str) -> ExitCode {
    Stop::from(message).end()
}

/// Each of the threads writes a letter and wakes the task that is to read it, then spawns a task and joins or aborts
/// it.
fn wake_sleeper<E: RemoteSpawn + Described>(rounds: usize, threads: usize, with_a_race: bool) {
    let crew = Crew::new(threads);
    let mut dice = Dice::new(threads as u64);
    let mut executor = E::default();
    for round in 0..rounds {
        if round % TURNS == 0 {
            executor = E::default();
        }
        let ended = Arc::new(AtomicUsize::new(0));
        let (mut readers, mut roots, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..threads {
            let letter = Arc::new(Letter::default());
            let (sender, reader) = mpsc::channel();
            let (root, last) = mpsc::channel();
            roots.push(root);
            readers.push(executor.spawn(Reader { letter: letter.clone(), waker: Some(sender) }));
            let (spawner, ended, dice) = (executor.spawner(), ended.clone(), dice.split());
            let writer = Writer { letter, reader, spawner, ended, root: last, dice, with_a_race };
            jobs.push(Box::new(move || writer.act()) as Job);
        }
        crew.begin(jobs.into_iter());
        executor.block_on(async move {
            for reader in readers {
                assert!(
                    matches!(reader.await, Ok(Letter::TEXT)),
                    "a task that was woken reads what was written before"
                );
            }
            std::future::poll_fn(|cx| {
                roots.drain(..).for_each(|root| root.send(cx.waker().clone()).expect("every thread awaits it"));
                // Acquire: pairs with the Release in `Writer::act`, as this poll may have another reason than its wake.
                if ended.load(Acquire) == threads { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        });
        crew.await_done();
    }
}

/// Gives its waker away in its first poll and reads the letter in its second: neither polls a task that was not woken,
/// and nobody wakes it but the one who has written the letter.
struct Reader {
    letter: Arc<Letter>,
    waker: Option<Sender<Waker>>,
}

impl Future for Reader {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        match self.waker.take() {
            Some(sender) => {
                sender.send(cx.waker().clone()).expect("the one who writes waits for it");
                Poll::Pending
            }
            None => Poll::Ready(self.letter.read()),
        }
    }
}

struct Writer<S> {
    letter: Arc<Letter>,
    reader: Receiver<Waker>,
    spawner: S,
    ended: Arc<AtomicUsize>,
    root: Receiver<Waker>,
    dice: Dice,
    with_a_race: bool,
}

impl<S: Spawn> Writer<S> {
    fn act(mut self) {
        let waker = await_waker(&self.reader);
        spin(self.dice.pause(PAUSE));
        self.letter.write();
        match self.dice.below(3) {
            0 => waker.wake_by_ref(),
            1 => [waker.clone()].into_iter().for_each(Waker::wake),
            _ => {}
        }
        if self.with_a_race {
            waker.wake_by_ref();
            self.letter.write();
        }
        waker.wake();
        self.spawn();
        // Release: pairs with the Acquire in `wake_sleeper`.
        self.ended.fetch_add(1, Release);
        await_waker(&self.root).wake();
    }

    /// Spawns a task onto the executor that is driven, and ends it in one of several ways.
    fn spawn(&mut self) {
        let mut handle = self.spawner.spawn(async {
            yield_now().await;
            Letter::TEXT
        });
        let choice = self.dice.below(8);
        if choice & 1 != 0 && poll_once(&mut handle, Waker::noop()).is_ready() {
            return;
        }
        spin(self.dice.pause(PAUSE));
        if choice & 2 != 0 {
            handle.abort();
        }
        if choice & 4 != 0 {
            wait_until(|| handle.is_finished());
            let result = poll_once(&mut handle, Waker::noop());
            let right = matches!(result, Poll::Ready(Ok(Letter::TEXT) | Err(JoinError::Cancelled)));
            assert!(right, "a task that has ended yields its value, or that it was cancelled");
        }
    }
}

fn await_waker(wakers: &Receiver<Waker>) -> Waker {
    let mut waker = None;
    while waker.is_none() {
        waker = wakers.try_recv().ok();
        thread::yield_now();
    }
    waker.expect("the loop ends with one")
}

mod letter {
    #![expect(unsafe_code, reason = "what a sanitizer is to watch is memory that nothing but a wake orders")]

    use std::cell::UnsafeCell;

    /// Written by one thread, then read by another, ordered by a wake and by nothing else.
    #[derive(Default)]
    pub(crate) struct Letter {
        text: UnsafeCell<u64>,
    }

    // SAFETY: `Reader` reads only in the poll that follows a wake, and that wake comes after the only write: it
    // happens-before the poll. (`--with-a-race` breaks this on purpose.)
    unsafe impl Sync for Letter {}

    impl Letter {
        pub(crate) const TEXT: u64 = 7;

        pub(crate) fn write(&self) {
            // SAFETY: the reader has not been woken yet.
            unsafe { *self.text.get() = Self::TEXT }
        }

        pub(crate) fn read(&self) -> u64 {
            // SAFETY: the reader was woken by the one who wrote.
            unsafe { *self.text.get() }
        }
    }
}
