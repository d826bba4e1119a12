//! A line of a record: what was observed of one contender.

use harness::Observation;
use serde::{Deserialize, Serialize};

use crate::footprint;

/// All observations that one verb made of one contender in one step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Observed {
    verb: String,
    executor: String,
    observed: Vec<Series>,
}

/// The samples of one quantity.
#[derive(Debug, Serialize, Deserialize)]
struct Series {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameter: Option<f64>,
    quantity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// By process, and there by block; nothing where there is no sample.
    samples: Vec<Vec<Option<f64>>>,
    /// What else the machine did during some of them: process, block and what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    busy: Vec<(u32, u32, String)>,
}

impl Observed {
    /// Of rows that are all of that verb and that contender.
    pub(super) fn from_rows<'a>(verb: &str, executor: &str, rows: impl Iterator<Item = &'a Observation>) -> Self {
        let mut observed: Vec<Series> = Vec::new();
        for row in rows {
            match observed.iter_mut().find(|series| series.takes(row)) {
                Some(series) => series.put(row),
                None => {
                    let mut series = Series::of(row);
                    series.put(row);
                    observed.push(series);
                }
            }
        }
        Self { verb: verb.to_owned(), executor: executor.to_owned(), observed }
    }

    /// One row for each sample.
    fn into_rows(self) -> Vec<Observation> {
        let Self { verb, executor, observed } = self;
        observed.iter().flat_map(|series| series.rows(&verb, &executor)).collect()
    }
}

impl Series {
    fn of(row: &Observation) -> Self {
        Self {
            subject: row.subject.clone(),
            parameter: row.parameter,
            quantity: row.quantity.clone(),
            note: row.note.clone(),
            samples: Vec::new(),
            busy: Vec::new(),
        }
    }

    /// Whether the row is one of its samples, and has a place that is free.
    fn takes(&self, row: &Observation) -> bool {
        self.subject == row.subject
            && self.parameter == row.parameter
            && self.quantity == row.quantity
            && self.note == row.note
            && self.sample(row.process, row.block).is_none()
    }

    fn sample(&self, process: u32, block: u32) -> Option<f64> {
        *self.samples.get(process as usize)?.get(block as usize)?
    }

    fn put(&mut self, row: &Observation) {
        let blocks = at(&mut self.samples, row.process);
        *at(blocks, row.block) = Some(row.value);
        self.busy.extend(row.busy.clone().map(|what| (row.process, row.block, what)));
    }

    fn rows(&self, verb: &str, executor: &str) -> Vec<Observation> {
        let mut rows = Vec::new();
        for (process, blocks) in (0..).zip(&self.samples) {
            for (block, value) in (0..).zip(blocks) {
                let Some(value) = *value else { continue };
                let busy =
                    self.busy.iter().find(|(in_process, in_block, _)| (*in_process, *in_block) == (process, block));
                rows.push(Observation {
                    parameter: self.parameter,
                    process,
                    block,
                    note: self.note.clone(),
                    busy: busy.map(|(_, _, what)| what.clone()),
                    ..Observation::new(verb, executor, &self.subject, &self.quantity, value)
                });
            }
        }
        rows
    }
}

/// The item at that place, which is made if there is none.
fn at<T: Default + Clone>(items: &mut Vec<T>, place: u32) -> &mut T {
    let place = place as usize;
    if items.len() <= place {
        items.resize(place + 1, T::default());
    }
    &mut items[place]
}

/// What a line of a record says: of one contender, or, in a record of the older form, one sample.
pub(super) fn read(line: &str) -> Result<Vec<Observation>, serde_json::Error> {
    let mut rows = match serde_json::from_str(line) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_str(line).map(Observed::into_rows)?,
    };
    for row in &mut rows {
        row.verb = verb_now(&row.verb).to_owned();
    }
    Ok(rows)
}

/// What a verb is called that an older record may know by another name.
pub(super) fn verb_now(verb: &str) -> &str {
    if verb == "static" { footprint::VERB } else { verb }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rows: &[Observation]) -> String {
        let observed = Observed::from_rows("duel", "raw-waker", rows.iter());
        serde_json::to_string(&observed).expect("it has no keys but strings")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let plain = Observation::new("duel", "raw-waker", "yield_one", "ns", 8.25);
        let rows = [
            plain.clone(),
            // No process 1, and no block 0 of process 2.
            Observation { process: 2, block: 1, value: 0.1 + 0.2, ..plain.clone() },
            Observation { process: 2, block: 2, busy: Some("40 % stolen".to_owned()), ..plain.clone() },
            // The same place once more.
            Observation { value: 7.0, ..plain.clone() },
            plain.clone().at(64.0),
            plain.clone().noting("approximate"),
            Observation { quantity: "bytes".to_owned(), ..plain.clone() },
            Observation { subject: String::new(), ..plain },
        ];
        let line = line(&rows);
        assert_eq!(line.matches("samples").count(), 6, "{line}");
        let mut read = read(&line).expect("it was just written");
        read.sort_by_key(|row| rows.iter().position(|other| other == row));
        assert_eq!(read, rows);
    }

    #[test]
    fn a_sample_of_the_older_form_is_read() {
        let older = r#"{"verb":"duel","executor":"tokio","subject":"abort","quantity":"ns","value":94.97,"process":3,"block":1}"#;
        let row = Observation { process: 3, block: 1, ..Observation::new("duel", "tokio", "abort", "ns", 94.97) };
        assert_eq!(read(older).expect("it is complete"), [row]);
    }

    #[test]
    fn a_verb_of_another_name_is_the_verb_of_today() {
        let row = Observation::new("static", "tokio", "", footprint::UNSAFE, 3.0);
        let line = serde_json::to_string(&row).expect("it has no keys but strings");
        assert_eq!(read(&line).expect("it is complete")[0].verb, footprint::VERB);
    }

    #[test]
    fn half_a_line_is_neither() {
        let row = Observation::new("duel", "raw-waker", "abort", "ns", 94.97);
        let line = line(&[row]);
        assert!(read(&line[..line.len() / 2]).is_err());
        assert!(read("{}").is_err());
    }
}
