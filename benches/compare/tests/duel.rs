//! The duel tells a difference of ten percent from none.
//!
//! A program of its own, as a duel starts copies of it.
#![expect(clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::hint::black_box;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll};
use std::time::Duration;

use compare::Contender;
use executor::{BlockOn, Capabilities, Described, Executor, Spawn};
use harness::duel::{Duel, Order, ranking};
use harness::quiet::Watch;
use harness::worker;
use raw_waker::{RawAbortHandle, RawExecutor, RawJoinHandle};

const WORKLOAD: &str = "yield_one";

/// raw-waker, whose tasks take some steps of their own each time that they are polled.
#[derive(Debug, Default)]
struct Slower<const STEPS: usize>(RawExecutor);

const NAMES: [&str; 7] = ["slower-0", "slower-1", "slower-2", "slower-3", "slower-4", "slower-5", "slower-6"];

/// A future with so much more to do.
struct Burdened<F, const STEPS: usize>(Pin<Box<F>>);

impl<F: Future, const STEPS: usize> Future for Burdened<F, STEPS> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        take(STEPS);
        self.0.as_mut().poll(cx)
    }
}

/// A chain of small steps, each of which waits for the one before it, and which cannot be made into fewer.
fn take(steps: usize) {
    let mut number = black_box(1_u64);
    for _ in 0..steps {
        number = number.rotate_left(5) ^ 0x9e37_79b9_7f4a_7c15;
    }
    black_box(number);
}

impl<const STEPS: usize> Spawn for Slower<STEPS> {
    type JoinHandle<T: Send + 'static> = RawJoinHandle<T>;
    type AbortHandle = RawAbortHandle;

    fn spawn<F: Future<Output: Send> + Send + 'static>(&self, future: F) -> RawJoinHandle<F::Output> {
        self.0.spawn(Burdened::<F, STEPS>(Box::pin(future)))
    }
}

impl<const STEPS: usize> Described for Slower<STEPS> {
    const NAME: &'static str = NAMES[STEPS];
    const CAPABILITIES: Capabilities = Capabilities { remote_spawn: false, ..RawExecutor::CAPABILITIES };
}

impl<const STEPS: usize> BlockOn for Slower<STEPS> {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl<const STEPS: usize> Executor for Slower<STEPS> {
    fn run(&self) {
        self.0.run();
    }
}

fn contenders() -> Vec<Contender> {
    let raw = Contender::executor::<RawExecutor>();
    vec![
        Contender { name: "copy", ..raw.clone() },
        raw,
        Contender::executor::<Slower<1>>(),
        Contender::executor::<Slower<2>>(),
        Contender::executor::<Slower<3>>(),
        Contender::executor::<Slower<4>>(),
        Contender::executor::<Slower<5>>(),
        Contender::executor::<Slower<6>>(),
    ]
}

fn among(names: &[&str]) -> Vec<Contender> {
    contenders().into_iter().filter(|contender| names.contains(&contender.name)).collect()
}

fn main() -> ExitCode {
    if let Some(code) = worker::run_if_asked(contenders) {
        return code;
    }
    let mut duel = Duel {
        workloads: vec![WORKLOAD],
        contenders: among(&["raw-waker", "copy"]),
        reference: "raw-waker",
        time: Duration::from_secs(4),
        most_processes: 12,
    };
    let found = measured(&duel);
    let (raw, copy) = (found.place("raw-waker").expect("it took part"), found.place("copy").expect("it took part"));
    println!("an exact copy takes {:.3} of the time, noise {:.3}", copy.ratio, found.noise);
    assert_eq!(found.order(copy, raw), Order::Tie, "an exact copy ties");

    // What a step adds depends on what the processor does meanwhile, so that is measured, and the duel is another one.
    duel.contenders = contenders();
    let found = measured(&duel);
    // Twice of what the linker may make of an operation this short.
    let distance = |name: &&str| (found.place(name).expect("it took part").ratio - 1.2).abs();
    let slower = NAMES[1..].iter().copied().min_by(|one, other| distance(one).total_cmp(&distance(other)));
    let slower = slower.expect("there are some");
    duel.contenders = among(&["raw-waker", "copy", slower]);
    let found = measured(&duel);
    let (raw, slow) = (found.place("raw-waker").expect("it took part"), found.place(slower).expect("it took part"));
    println!("{slower} takes {:.3} of the time, noise {:.3}", slow.ratio, found.noise);
    assert_eq!(found.order(raw, slow), Order::Faster, "what is slower is found slower");
    ExitCode::SUCCESS
}

fn measured(duel: &Duel) -> harness::duel::Ranking {
    let outcome = harness::duel::run(duel, &Watch::new(Duration::from_secs(60))).expect("every process can be run");
    ranking(&outcome.observations, WORKLOAD, duel.reference)
}
