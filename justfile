# Shortcuts: each recipe is one command, which works as well without just.

# List the recipes.
default:
    @just --list --unsorted

# Check a package and its tests, in seconds: `just check wakers-arc`.
check package *arguments:
    cargo check --package={{package}} --all-targets {{arguments}}

# Lint a package; a warning is an error.
lint package *arguments:
    cargo clippy --package={{package}} --all-targets {{arguments}} -- -D warnings

# Format everything.
fmt:
    cargo fmt --all

# Run all tests.
test *arguments:
    cargo test {{arguments}}

# Compare all executors: `just bench yield` for some workloads only.
bench *arguments:
    cargo bench -- {{arguments}}

# Answer "which one?" on one screen, or dig deeper: `just compare duel raw-waker tokio`.
compare *arguments:
    cargo compare {{arguments}}

# Check executors against the contract: `just conform raw-waker tokio`, or all of them.
conform *executors:
    cargo compare conform {{executors}}

# Count what a wake costs and compare with what was committed for such a machine.
count:
    cargo compare count --check

# Try the interleavings of every lock-free step: `just loom m02` for some models only.
loom *arguments:
    .ci/loom {{arguments}}

# Put known faults into the strategies, one at a time, and see who notices: takes an hour; `just mutants raw-push-relaxed` for some.
mutants *arguments:
    cargo run -p mutants -- {{arguments}}

# Add a strategy to a copy of the workspace, as docs/add-a-strategy.md says, and see it take part in everything.
added:
    cargo test -p using --test added -- --ignored

# Drop executors while other threads wake: `just race raw-waker tokio --rounds 10000`, or all of them.
race *arguments:
    cargo run --release -p benches --bin race -- {{arguments}}

# Run suite, random programs and models under AddressSanitizer and LeakSanitizer, or `just asan suite` or `models`; needs nightly.
asan *part:
    .ci/asan {{part}}

# Hammer the strategies that count references by hand, under ThreadSanitizer; needs nightly.
tsan *rounds:
    .ci/tsan {{rounds}}

# Hammer the strategies that count references by hand, under valgrind.
memcheck *rounds:
    .ci/memcheck {{rounds}}

# Run random programs under Miri; needs nightly with miri.
miri:
    .ci/miri

# Write the tables in docs/ and README.md anew from what the programs print.
tables:
    UPDATE_TABLES=1 cargo test -p benches --test tables
    UPDATE_TABLES=1 cargo test -p compare --test pages
    UPDATE_TABLES=1 cargo test --release -p compare --test pages
    UPDATE_TABLES=1 cargo test -p broken --test gallery the_page

# Measure everything and write the pages from it: with every change committed, on a machine that is quiet.
results:
    cargo compare record
    cargo compare report

# See, word by word, what two strategies do differently: `just diff arc raw waker`.
diff one other file="executor":
    -git diff --no-index --color-words crates/{{one}}-waker/src/{{file}}.rs crates/{{other}}-waker/src/{{file}}.rs

# Open the documentation.
doc:
    cargo doc --workspace --no-deps --open

# Build contract, strategies and suite with the oldest Rust that they declare; needs that toolchain.
msrv:
    .ci/msrv

# All that CI checks.
ci:
    .ci/run
