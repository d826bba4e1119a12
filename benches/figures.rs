//! Reads what criterion wrote: `target/criterion/<workload>/<executor>/new/estimates.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Nanoseconds per operation, by workload and contender.
pub type Figures = BTreeMap<(String, String), f64>;

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// The directory that criterion writes to: `CRITERION_HOME`, or `criterion` in the target directory of this program.
pub fn home() -> PathBuf {
    if let Some(home) = env::var_os("CRITERION_HOME") {
        return PathBuf::from(home);
    }
    // Cargo marks the directory at the top, whatever is in between (a target triple, a profile).
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    target.unwrap_or(Path::new("target")).join("criterion")
}

/// The medians under `home` that were written at `since` or later. What earlier runs left, perhaps of contenders that
/// are no more, is passed over.
///
/// # Errors
///
/// When a file cannot be read, or is not what criterion 0.8 writes; the message names the file.
pub fn read(home: &Path, since: SystemTime) -> io::Result<Figures> {
    let mut figures = Figures::new();
    for group in directories(home)? {
        for function in directories(&group)? {
            let (benchmark, estimates) = (function.join("new/benchmark.json"), function.join("new/estimates.json"));
            let fresh = fs::metadata(&estimates).and_then(|file| file.modified()).is_ok_and(|written| written >= since);
            if !fresh {
                continue;
            }
            // The names come from the file: criterion may cut or rewrite those of directories.
            let Benchmark { group_id, function_id } = parse(&benchmark)?;
            let Estimates { median } = parse(&estimates)?;
            figures.insert((group_id, function_id.unwrap_or_default()), median.point_estimate);
        }
    }
    Ok(figures)
}

fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
            Ok(paths?.into_iter().filter(|path| path.is_dir()).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(in_file(path, error)),
    }
}

fn parse<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let text = fs::read_to_string(path).map_err(|error| in_file(path, error))?;
    serde_json::from_str(&text).map_err(|error| in_file(path, error.into()))
}

fn in_file(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Cut down from what criterion 0.8.2 wrote.
    const BENCHMARK: &str = r#"{"group_id":"yield_one","function_id":"raw-waker","value_str":null,"throughput":null,
        "full_id":"yield_one/raw-waker","directory_name":"yield_one/raw-waker","title":"yield_one/raw-waker"}"#;
    const ESTIMATES: &str = r#"{"mean":{"confidence_interval":{"confidence_level":0.95,"lower_bound":9.2,"upper_bound":9.6},
        "point_estimate":9.4,"standard_error":0.1},"median":{"confidence_interval":{"confidence_level":0.95,
        "lower_bound":9.1,"upper_bound":9.5},"point_estimate":9.25,"standard_error":0.1},"slope":null}"#;

    fn written(name: &str) -> PathBuf {
        let home = env::temp_dir().join(format!("benches-figures-{}-{name}", std::process::id()));
        let new = home.join("yield_one/raw-waker/new");
        fs::create_dir_all(&new).unwrap();
        fs::create_dir_all(home.join("report")).unwrap();
        fs::write(new.join("benchmark.json"), BENCHMARK).unwrap();
        fs::write(new.join("estimates.json"), ESTIMATES).unwrap();
        home
    }

    #[test]
    fn a_median_of_this_run_is_read() {
        let home = written("fresh");
        let figures = read(&home, SystemTime::now() - Duration::from_secs(60)).unwrap();
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(figures, Figures::from([(("yield_one".into(), "raw-waker".into()), 9.25)]));
    }

    #[test]
    fn what_an_earlier_run_left_is_passed_over() {
        let home = written("stale");
        let figures = read(&home, SystemTime::now() + Duration::from_secs(60)).unwrap();
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(figures, Figures::new());
    }

    #[test]
    fn a_file_that_is_none_of_criterions_is_named() {
        let home = written("broken");
        let file = home.join("yield_one/raw-waker/new/estimates.json");
        fs::write(&file, "{}").unwrap();
        let error = read(&home, SystemTime::now() - Duration::from_secs(60)).unwrap_err();
        fs::remove_dir_all(&home).unwrap();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
    }

    #[test]
    fn no_directory_is_no_figures() {
        let nowhere = env::temp_dir().join("benches-figures-nowhere");
        assert_eq!(read(&nowhere, SystemTime::UNIX_EPOCH).unwrap(), Figures::new());
    }
}
