//! What was found of a program's executors, for as long as the program is the same.
//!
//! A file in cargo's target directory, so that `cargo clean` forgets. It holds one program's verdicts, and is begun
//! anew when that program has changed.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process;

use conformance::Outcome;
use conformance::process::{decode, encode};
use object::{Object as _, ReadCache};
use serde::{Deserialize, Serialize};

/// In the place of an outcome that is not the same in every run.
const VARIES: &str = "varies";

/// What cargo leaves in a target directory: a mark for backups where it has made the directory, and what it knows of
/// rustc.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// What is in the file.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
struct Record {
    /// The program's build id, or else what its content comes to.
    program: String,
    /// By executor and clause.
    verdicts: BTreeMap<String, BTreeMap<String, Verdict>>,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
struct Verdict {
    /// The outcome as a line, or [`VARIES`].
    outcome: String,
    /// What the process printed last, where that is worth knowing.
    last_words: Vec<String>,
}

/// The verdicts that are known of a program.
#[derive(Debug)]
pub struct Remembered {
    /// Where they are kept, if anywhere: a program outside of a target directory is not remembered.
    file: Option<PathBuf>,
    record: Record,
}

impl Remembered {
    /// What is known of this program, of which `image` is what runs. A build may have put another one in its place
    /// since, of which nothing is found by this one.
    pub fn of_this_program(image: &Path) -> (Self, Option<String>) {
        let Ok(program) = env::current_exe() else { return (Self { file: None, record: Record::default() }, None) };
        // As Linux marks what was deleted.
        let text = program.to_string_lossy();
        let program = text.strip_suffix(" (deleted)").map_or_else(|| program.clone(), PathBuf::from);
        Self::kept_of(&program, image)
    }

    /// What is known of `program`, and why that is nothing if what there is cannot be read.
    pub fn of(program: &Path) -> (Self, Option<String>) {
        Self::kept_of(program, program)
    }

    fn kept_of(program: &Path, image: &Path) -> (Self, Option<String>) {
        let Some(file) = file(program) else { return (Self { file: None, record: Record::default() }, None) };
        let identity = match identity(image) {
            Ok(identity) => identity,
            Err(error) => {
                let why = format!("{} cannot be read, so no verdict is remembered: {error}", program.display());
                return (Self { file: None, record: Record::default() }, Some(why));
            }
        };
        let (record, complaint) = match read(&file) {
            Ok(record) => (record, None),
            Err(error) if error.kind() == ErrorKind::NotFound => (Record::default(), None),
            Err(error) => {
                let why = format!("{} cannot be read, and every clause is asked anew: {error}", file.display());
                (Record::default(), Some(why))
            }
        };
        let record = match record.program == identity {
            true => record,
            false => Record { program: identity, ..Record::default() },
        };
        (Self { file: Some(file), record }, complaint)
    }

    /// What was found of an executor for a clause, with the last lines that were printed, unless it is not the same in
    /// every run.
    pub fn verdict(&self, executor: &str, clause: &str) -> Option<(Outcome, &[String])> {
        let verdict = self.record.verdicts.get(executor)?.get(clause)?;
        Some((decode(&verdict.outcome)?, &verdict.last_words))
    }

    /// Notes what was found now. Where a clause was broken in one run and kept in another, nothing is known from then
    /// on.
    pub fn note(&mut self, executor: &str, clause: &str, outcome: &Outcome, last_words: &[String]) {
        let own = self.record.verdicts.entry(executor.to_owned()).or_default();
        let is_broken = |outcome: &Outcome| matches!(outcome, Outcome::Fail(_));
        let varies = own.get(clause).is_some_and(|before| {
            decode(&before.outcome).is_none_or(|before| is_broken(&before) != is_broken(outcome))
        });
        let verdict = Verdict { outcome: encode(outcome), last_words: last_words.to_vec() };
        let varying = Verdict { outcome: VARIES.to_owned(), ..Verdict::default() };
        own.insert(clause.to_owned(), if varies { varying } else { verdict });
    }

    /// Keeps it, all or nothing: a process that reads during this reads what was there before.
    ///
    /// # Errors
    ///
    /// When the file cannot be written: the message names it.
    pub fn keep(&self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_string(&self.record).expect("a record has no keys but strings");
        let new = file.with_extension(format!("{}.new", process::id()));
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| fs::write(&new, text)).and_then(|()| fs::rename(&new, file));
        written.map_err(|error| {
            // It may not even be there.
            let _ = fs::remove_file(&new);
            format!("{} cannot be written, so nothing is remembered: {error}", file.display())
        })
    }
}

/// Where the verdicts of a program are kept: in the target directory that it lies in, if it does.
pub fn file(program: &Path) -> Option<PathBuf> {
    let target = program.ancestors().skip(1).find(|folder| MARKS.iter().any(|mark| folder.join(mark).is_file()))?;
    let place = program.strip_prefix(target).ok()?;
    let name: Vec<_> = place.iter().map(|part| part.to_string_lossy()).collect();
    Some(target.join("conform").join(format!("{}.json", name.join("-"))))
}

fn read(file: &Path) -> io::Result<Record> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

/// What tells a program from every other: the linker's build id, which is made of the content, or else the content.
fn identity(program: &Path) -> io::Result<String> {
    let cache = ReadCache::new(File::open(program)?);
    if let Ok(parsed) = object::File::parse(&cache)
        && let Ok(Some(id)) = parsed.build_id()
    {
        return Ok(format!("build id {}", hexadecimal(id)));
    }
    // Its keys are constants. Another version of std may count differently, and then all is asked anew.
    let mut hasher = DefaultHasher::new();
    let mut file = File::open(program)?;
    let mut part = vec![0; 1 << 20];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(format!("content {:016x}", hasher.finish())),
            read => hasher.write(&part[..read]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target directory with a program in it.
    struct Target(PathBuf);

    impl Target {
        fn new(test: &str) -> Self {
            let folder = env::temp_dir().join(format!("wakers-remembered-{}-{test}", process::id()));
            fs::create_dir_all(folder.join("debug")).expect("a temporary folder can be made");
            fs::write(folder.join("CACHEDIR.TAG"), "").expect("it can be written");
            let target = Self(folder);
            target.build("first");
            target
        }

        fn program(&self) -> PathBuf {
            self.0.join("debug/mine")
        }

        fn build(&self, content: &str) {
            fs::write(self.program(), content).expect("it can be written");
        }

        fn remembered(&self) -> Remembered {
            let (remembered, complaint) = Remembered::of(&self.program());
            assert_eq!(complaint, None);
            remembered
        }

        fn note(&self, outcome: &Outcome) {
            let mut remembered = self.remembered();
            remembered.note("mine", "X9", outcome, &["the end".to_owned()]);
            remembered.keep().expect("it can be written");
        }

        fn outcome(&self) -> Option<Outcome> {
            let remembered = self.remembered();
            let (outcome, last_words) = remembered.verdict("mine", "X9")?;
            assert_eq!(last_words, ["the end"]);
            Some(outcome)
        }
    }

    impl Drop for Target {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn broken() -> Outcome {
        Outcome::Fail("hangs\nfor good".to_owned())
    }

    #[test]
    fn a_verdict_is_remembered_until_the_program_changes() {
        let target = Target::new("changes");
        assert_eq!(target.outcome(), None);
        for outcome in
            [Outcome::NotApplicable { capability: "idle", why: "it spins" }, Outcome::Vacuous("it polls all")]
        {
            target.note(&outcome);
            assert_eq!(target.outcome(), Some(outcome));
        }
        target.build("second");
        assert_eq!(target.outcome(), None);
        target.note(&broken());
        assert_eq!(target.outcome(), Some(broken()));
    }

    /// What an image finds that runs on is not kept for the program that took its place.
    #[test]
    fn what_was_found_by_the_program_before_is_not_known_of_the_new_one() {
        let target = Target::new("rebuilt");
        let image = target.0.join("image");
        fs::rename(target.program(), &image).expect("it is there");
        target.build("second");
        let (mut remembered, _) = Remembered::kept_of(&target.program(), &image);
        remembered.note("mine", "X9", &broken(), &["the end".to_owned()]);
        remembered.keep().expect("it can be written");
        assert_eq!(target.outcome(), None);
    }

    #[test]
    fn what_varies_is_not_remembered() {
        for (first, second) in [(broken(), Outcome::Pass), (Outcome::Pass, broken())] {
            let target = Target::new("varies");
            target.note(&first);
            target.note(&second);
            assert_eq!(target.outcome(), None);
            // And stays so, whatever comes last.
            target.note(&second);
            assert_eq!(target.outcome(), None);
        }
    }

    #[test]
    fn what_cannot_be_read_is_ignored_with_a_sentence() {
        let target = Target::new("unreadable");
        target.note(&broken());
        let file = file(&target.program()).expect("it lies in a target directory");
        fs::write(&file, "{\"program\":").expect("it can be written");
        let (remembered, complaint) = Remembered::of(&target.program());
        let complaint = complaint.expect("it says so");
        assert!(complaint.starts_with(&format!("{} cannot be read", file.display())), "{complaint}");
        assert_eq!(complaint.lines().count(), 1);
        assert_eq!(remembered.verdict("mine", "X9"), None);
        remembered.keep().expect("it can be written");
        assert_eq!(target.outcome(), None);
    }

    #[test]
    fn nothing_is_left_beside_the_record() {
        let target = Target::new("beside");
        target.note(&broken());
        let files = target.0.join("conform").read_dir().expect("it is there");
        let names: Vec<_> = files.map(|file| file.expect("it is there").file_name()).collect();
        assert_eq!(names, ["debug-mine.json"]);
    }

    #[test]
    fn a_program_elsewhere_is_not_remembered() {
        assert_eq!(file(Path::new("/mine")), None);
    }

    #[test]
    fn this_program_has_a_build_id_or_a_content() {
        let program = env::current_exe().expect("the test knows its own path");
        let first = identity(&program).expect("it can be read");
        assert_eq!(first, identity(&program).expect("it can be read"));
        assert!(first.len() > "content ".len());
    }
}
