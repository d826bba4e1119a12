//! Each exhibit breaks the clauses that it is there to break, its fixed version breaks none, and `docs/gallery.md`
//! shows what the two files and this list say.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use broken::{EXHIBITS, Exhibit, Kind, Ours, Symptom, TRIGGER, nearest};
use conformance::process::{PATIENCE, in_parallel, run_check};
use conformance::{Check, Clause, Outcome};
use similar::TextDiff;

/// How long a case that is known to hang may take.
const BRIEF_PATIENCE: Duration = Duration::from_secs(2);

/// How many cases of one exhibit run at once.
const WORKERS: usize = 2;

/// How many clauses an entry or the index shows; longer lists are folded or cut short.
const SHOWN: usize = 5;

/// How often a case is run whose failure is undefined behaviour. On two processors it shows in most runs.
const ATTEMPTS: usize = 50;

/// Set to write the page anew instead of comparing it.
const UPDATE: &str = "UPDATE_TABLES";

macro_rules! exhibits {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name.replace('-', "_") == stringify!($name));
                let exhibit = exhibit.expect("it is in the catalogue");
                breaks_what_it_should(exhibit);
                fixed_it_breaks_nothing(exhibit);
                is_triggered(exhibit);
            }
        )*

        #[test]
        fn every_exhibit_is_tested() {
            let tested = [$(stringify!($name)),*];
            let missing: Vec<_> =
                EXHIBITS.iter().filter(|exhibit| !tested.contains(&&*exhibit.name.replace('-', "_"))).collect();
            assert!(missing.is_empty(), "no test of {missing:?}");
        }
    };
}

exhibits! {
    bare_park
    one_parker
    clears_late
    polls_in_wake
    bounded_queue
    queued_per_wake
    looks_too_early
    two_vtables
    leaks_in_wake
    rc_waker
    own_waker_cycle
    never_closed
    drops_under_lock
    polls_root_always
    polls_in_place
    forgets_panics
    remembers_owner
    merged_twice
}

/// Fails unless the clauses in `fails` fail, those in `hangs` by hanging, and all others do not.
fn breaks_what_it_should(exhibit: &Exhibit) {
    let expects = |clause: &Clause| exhibit.fails.contains(&clause.id);
    let unknown = |clause: &Clause| exhibit.may_fail.contains(&clause.id) || (exhibit.undefined && !expects(clause));
    let cases = clauses().into_iter().filter(|clause| !unknown(clause)).collect();
    let wrong = in_parallel(WORKERS, cases, |clause: Clause| {
        let hangs = exhibit.hangs.contains(&clause.id);
        let patience = if hangs { BRIEF_PATIENCE } else { PATIENCE };
        let attempts = if exhibit.undefined { ATTEMPTS } else { 1 };
        let mut outcome = Outcome::Pass;
        for _ in 0..attempts {
            outcome = run_check(program(), &format!("{}/broken", exhibit.name), clause.id, patience)?.outcome;
            if matches!(outcome, Outcome::Fail(_)) {
                break;
            }
        }
        let as_expected = match &outcome {
            Outcome::Fail(why) => expects(&clause) && (exhibit.undefined || why.starts_with("hangs") == hangs),
            _ => !expects(&clause),
        };
        Ok((!as_expected).then(|| format!("{}: {outcome}", clause.id)))
    });
    let wrong: Vec<_> = wrong.expect("the cases can be run").into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}, broken, is not what the catalogue says:\n{}", exhibit.name, wrong.join("\n"));
}

fn fixed_it_breaks_nothing(exhibit: &Exhibit) {
    let failures = in_parallel(WORKERS, clauses(), |clause: Clause| {
        let outcome = run_check(program(), &format!("{}/fixed", exhibit.name), clause.id, PATIENCE)?.outcome;
        Ok(matches!(outcome, Outcome::Fail(_)).then(|| format!("{}: {outcome}", clause.id)))
    });
    let failures: Vec<_> = failures.expect("the cases can be run").into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}, fixed, breaks:\n{}", exhibit.name, failures.join("\n"));
}

/// Fails unless the broken one does with the trigger what the page says, and the fixed one returns from it.
fn is_triggered(exhibit: &Exhibit) {
    let run = |version| {
        let patience = if version == "broken" && exhibit.trigger_hangs { BRIEF_PATIENCE } else { PATIENCE };
        run_check(program(), &format!("{}/{version}", exhibit.name), TRIGGER, patience).expect("it can be run").outcome
    };
    let attempts = if exhibit.undefined { ATTEMPTS } else { 1 };
    let mut broken = (0..attempts).map(|_| run("broken"));
    let shown = broken.any(|outcome| match outcome {
        Outcome::Fail(why) => exhibit.undefined || why.starts_with("hangs") == exhibit.trigger_hangs,
        _ => false,
    });
    assert!(shown, "{}, broken, does not do with its trigger what the catalogue says", exhibit.name);
    let fixed = run("fixed");
    assert!(matches!(fixed, Outcome::Pass), "{}, fixed, does not return from its trigger: {fixed}", exhibit.name);
}

/// The program that runs a single case.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_exhibit"))
}

/// All clauses, in the suite's order: every executor's list of cases has them.
fn clauses() -> Vec<Clause> {
    let cases = EXHIBITS.iter().find_map(|exhibit| match exhibit.fixed.kind {
        Kind::Root(cases) => Some(cases()),
        Kind::Tasks(_) => None,
    });
    cases.expect("some exhibit has no tasks").iter().map(|case: &Check| case.clause).collect()
}

#[test]
fn the_catalogue_names_clauses_that_there_are() {
    let known: BTreeSet<_> = clauses().iter().map(|clause| clause.id).collect();
    for exhibit in EXHIBITS {
        let Exhibit { name, fails, hangs, may_fail, .. } = exhibit;
        assert!(!fails.is_empty(), "{name} breaks nothing");
        assert!(fails.iter().chain(*may_fail).all(|clause| known.contains(clause)), "{name} names an unknown clause");
        assert!(hangs.iter().all(|clause| fails.contains(clause)), "{name} hangs in a clause that it does not break");
        assert!(!fails.iter().any(|clause| may_fail.contains(clause)), "{name} breaks a clause that it may break");
    }
}

/// Of an executor that breaks what an exhibit breaks, that exhibit is said to be the nearest.
#[test]
fn an_exhibit_is_nearest_to_itself() {
    for exhibit in EXHIBITS {
        let kept: Vec<_> = clauses().iter().map(|clause| clause.id).filter(|id| !exhibit.fails.contains(id)).collect();
        let nearest = nearest(exhibit.fails, &kept).expect("it breaks something");
        assert_eq!(nearest.exhibit.name, exhibit.name);
        assert_eq!((nearest.in_common, nearest.of), (exhibit.fails.len(), exhibit.fails.len()));
        assert!(!nearest.of_the_root);
    }
}

/// What the root breaks, tasks break as well: that does not hide whose fault it is.
#[test]
fn what_else_breaks_does_not_hide_the_root() {
    let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == "clears-late").expect("it is there");
    let others = ["W1", "W3", "W5", "W6", "W8", "W9", "T9", "T10c", "X3", "X3o", "X7", "X8t", "X22", "X25s"];
    let found = nearest(&[exhibit.fails, &others, &["W6r"]].concat(), &[]).expect("it breaks something");
    assert_eq!((found.exhibit.name, found.of_the_root), ("clears-late", true));
    assert_eq!((found.in_common, found.of), (exhibit.fails.len(), exhibit.fails.len()));
    // But one clause of the root does not hide what is wrong with the tasks.
    let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == "drops-under-lock").expect("it is there");
    let found = nearest(&[exhibit.fails, &["X9"]].concat(), &[]).expect("it breaks something");
    assert_eq!(found.exhibit.name, "drops-under-lock");
    assert_eq!((found.in_common, found.of), (exhibit.fails.len(), exhibit.fails.len() + 1));
}

#[test]
fn what_no_exhibit_breaks_has_none_near() {
    let unbroken = clauses().into_iter().map(|clause| clause.id);
    let unbroken: Vec<_> = unbroken.filter(|id| EXHIBITS.iter().all(|exhibit| !exhibit.fails.contains(id))).collect();
    assert!(nearest(&unbroken, &[]).is_none());
}

/// What is said to be right in our crates is there.
#[test]
fn the_places_that_do_it_right_exist() {
    for exhibit in EXHIBITS {
        source_of(&exhibit.ours);
    }
}

#[test]
fn the_page_shows_the_exhibits_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gallery.md");
    let found = fs::read_to_string(&path).expect("docs/gallery.md can be read");
    let mut wanted = replace(&found, "index", &index());
    for exhibit in EXHIBITS {
        wanted = replace(&wanted, &format!("{} trigger", exhibit.name), &trigger(exhibit));
        wanted = replace(&wanted, exhibit.name, &entry(exhibit));
        wanted = replace(&wanted, &format!("{} ours", exhibit.name), &ours(exhibit));
    }
    wanted = replace(&wanted, "unbroken", &unbroken());
    if found == wanted {
        return;
    }
    if env::var_os(UPDATE).is_some() {
        fs::write(&path, wanted).expect("docs/gallery.md can be written");
        return;
    }
    let difference = TextDiff::from_lines(&found, &wanted).unified_diff().context_radius(1).to_string();
    panic!(
        "docs/gallery.md is out of date; `{UPDATE}=1 cargo test -p broken --test gallery the_page` writes it anew\n{difference}"
    );
}

/// `page` with `text` between the marks of the table `name`.
fn replace(page: &str, name: &str, text: &str) -> String {
    let mark = format!("<!-- table: {name} -->");
    let start = page.find(&mark).unwrap_or_else(|| panic!("docs/gallery.md wants `{mark}`")) + mark.len();
    let end = start + page[start..].find("<!-- end -->").unwrap_or_else(|| panic!("`{mark}` wants `<!-- end -->`"));
    format!("{}\n{}\n{}", &page[..start], text.trim_end(), &page[end..])
}

/// The symptoms, the exhibits that have them, and the clauses that these break, those that few others break first.
fn index() -> String {
    let mut text = String::from("| what you see | exhibit | clauses that fail, the rarest first |\n|---|---|---|\n");
    for symptom in Symptom::ALL {
        let exhibits = EXHIBITS.iter().filter(|exhibit| exhibit.symptom == symptom);
        for (at, exhibit) in exhibits.enumerate() {
            let Exhibit { name, fails, .. } = exhibit;
            let what = if at == 0 { symptom.description() } else { "" };
            let mut rarest = fails.to_vec();
            rarest.sort_by_key(|id| EXHIBITS.iter().filter(|other| other.fails.contains(id)).count());
            let mut clauses = rarest[..fails.len().min(SHOWN)].join(", ");
            if fails.len() > SHOWN {
                let _ = write!(clauses, ", … ({} in all)", fails.len());
            }
            let _ = writeln!(text, "| {what} | [{name}](#{}) | {clauses} |", exhibit.anchor());
        }
    }
    text
}

fn folder(name: &str) -> String {
    name.replace('-', "_")
}

/// The code that shows the fault, and what it does.
fn trigger(exhibit: &Exhibit) -> String {
    let path = format!("tests/broken/src/{}/trigger.rs", folder(exhibit.name));
    let imports = exhibit.trigger.split_inclusive('\n').take_while(|line| line.starts_with("use ") || *line == "\n");
    let code = &exhibit.trigger[imports.map(str::len).sum::<usize>()..];
    let code = code.replace("pub(crate) fn", "fn");
    let symptom = match exhibit {
        Exhibit { undefined: true, .. } => "this crashes in most runs",
        Exhibit { trigger_hangs: true, .. } => "this never returns",
        _ => "this fails the assertion",
    };
    format!("```rust\n{code}```\n\nWith the fault {symptom}; with the repair it returns. ([trigger.rs](../{path}))\n")
}

/// What an exhibit gets wrong, what that breaks, and what mends it.
fn entry(exhibit: &Exhibit) -> String {
    let Exhibit { name, fails, hangs, may_fail, broken, fixed, undefined, .. } = exhibit;
    let path = |version| format!("tests/broken/src/{}/{version}.rs", folder(name));
    let mut text = format!("[{0}](../{0}):\n\n```rust\n{1}```\n\n", path("broken"), fault(broken.source));
    let folded = fails.len() > SHOWN;
    if folded {
        let _ = writeln!(text, "<details><summary>Breaks {} clauses: {}</summary>\n", fails.len(), fails.join(", "));
    }
    for id in *fails {
        let clauses = clauses();
        let clause = clauses.iter().find(|clause| clause.id == *id).expect("the catalogue names known clauses");
        let how = if hangs.contains(id) { "hangs" } else { "fails" };
        let _ = writeln!(text, "- {how}: **{id}** {}", clause.promise);
    }
    if folded {
        text.push_str("\n</details>\n");
    }
    if !may_fail.is_empty() {
        let _ = writeln!(text, "\nIn some runs it also breaks {}: a race decides.", may_fail.join(", "));
    }
    if *undefined {
        text.push_str("\nThis is undefined behaviour: any other clause may fail as well.\n");
    }
    let diff = TextDiff::from_lines(broken.source, fixed.source);
    let diff = diff.unified_diff().context_radius(2).header(&path("broken"), &path("fixed")).to_string();
    let _ = write!(text, "\n```diff\n{diff}```\n");
    text
}

/// Where one of our crates does it right.
fn ours(exhibit: &Exhibit) -> String {
    let Ours { folder, item, does } = exhibit.ours;
    format!("**Where ours does it right:** [`{item}`](../{}) of {folder} {does}.\n", source_of(&exhibit.ours))
}

/// The one file of the crate in which the item is defined, as the repository calls it.
fn source_of(Ours { folder, item, .. }: &Ours) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = format!("crates/{folder}/src");
    let mut found = Vec::new();
    find(&root.join(&source), item, &mut found);
    assert_eq!(found.len(), 1, "`{item}` must be defined in one file of {source}, and is in {found:?}");
    let path = found[0].strip_prefix(&root).expect("it is below the root");
    path.to_str().expect("our paths are text").replace('\\', "/")
}

/// The files below a folder that define `item`.
fn find(folder: &Path, item: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the crate has sources") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            find(&path, item, found);
        } else if defines(&fs::read_to_string(&path).expect("it can be read"), item) {
            found.push(path);
        }
    }
}

/// Whether a source defines `item`: a function, a static, or a method with its type in front, as in `Signal::wake`.
fn defines(source: &str, item: &str) -> bool {
    let (owner, name) = item.split_once("::").map_or((None, item), |(owner, name)| (Some(owner), name));
    let is_of_owner = |line: &str| {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        owner.is_none_or(|owner| words.any(|word| word == owner))
    };
    let mut in_owner = owner.is_none();
    source.lines().any(|line| {
        if line.starts_with("impl") {
            in_owner = is_of_owner(line);
        }
        let before_and_after = line.split_once(&format!("fn {name}")).or(line.split_once(&format!("static {name}")));
        let ends = |rest: &str| rest.starts_with(['(', '<', ':']);
        in_owner && !line.trim_start().starts_with("//") && before_and_after.is_some_and(|(_, rest)| ends(rest))
    })
}

#[test]
fn an_item_is_told_from_others() {
    let source = "static TABLE: u8 = 0;\nimpl<T> Wake for Signal<T> {\n    fn wake(self) {}\n}\nfn with_all() {}\n";
    for item in ["TABLE", "Signal::wake", "wake", "with_all"] {
        assert!(defines(source, item), "{item}");
    }
    for item in ["TABL", "Sign::wake", "Task::wake", "Signal::wak", "with"] {
        assert!(!defines(source, item), "{item}");
    }
}

/// The lines that are marked, each with the statement after it, indented as little as possible.
fn fault(source: &str) -> String {
    let lines: Vec<_> = source.lines().collect();
    let mut text = String::new();
    for (at, marked) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("// WRONG: ")) {
        let indent = marked.len() - marked.trim_start().len();
        let is_comment = |line: &str| line.trim_start().starts_with("//");
        let code = at + lines[at..].iter().position(|line| !is_comment(line)).expect("a comment stands before code");
        let end = if lines[code].ends_with('{') {
            let closing = format!("{}}}", &marked[..indent]);
            code + lines[code..].iter().position(|line| line.starts_with(&closing)).expect("a block ends")
        } else {
            code
        };
        for line in &lines[at..=end] {
            let _ = writeln!(text, "{}", &line[indent..]);
        }
    }
    assert!(!text.is_empty(), "no line is marked as wrong");
    text
}

/// The clauses that no exhibit breaks for certain.
fn unbroken() -> String {
    let broken: BTreeSet<_> = EXHIBITS.iter().flat_map(|exhibit| exhibit.fails).collect();
    let unbroken: Vec<_> = clauses().iter().map(|clause| clause.id).filter(|id| !broken.contains(id)).collect();
    format!("{} of {} clauses: {}.", unbroken.len(), clauses().len(), unbroken.join(", "))
}
