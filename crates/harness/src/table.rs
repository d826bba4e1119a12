//! Tables, for a terminal and for a page.

use clap::ValueEnum;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, TableStyle};
use serde::Serialize;

/// A line below the header and nothing else: what is copied from a terminal reads well in a mail.
const PLAIN: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none().junction(' '));

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    #[default]
    Table,
    /// For a page.
    Markdown,
    /// The rows that the tables are made of, one JSON object a line.
    Json,
}

/// Rows under a header, with a title above and remarks below.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// What it shows, in one line.
    pub title: String,
    /// The names of the columns; the first is that of the rows' names.
    pub header: Vec<String>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// What must be known to read it.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { title: title.into(), header, ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.header.len(), "a row has a cell for each column");
        self.rows.push(cells);
    }

    /// Adds a remark, unless it is there already.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// As text.
    pub fn render(&self, format: Format) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(if format == Format::Markdown { ASCII_MARKDOWN } else { PLAIN });
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.header);
        for row in &self.rows {
            table.add_row(row);
        }
        // Names to the left, figures to the right.
        for (number, column) in table.column_iter_mut().enumerate() {
            let figures =
                number > 0 && self.rows.iter().all(|row| !row[number].contains(' ') || is_figure(&row[number]));
            column.set_cell_alignment(if figures { CellAlignment::Right } else { CellAlignment::Left });
        }
        let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        if format == Format::Markdown {
            let bold =
                if self.title.is_empty() { Vec::new() } else { vec![format!("**{}**", self.title), String::new()] };
            lines.splice(0..0, bold);
            lines.extend(self.notes.iter().flat_map(|note| [String::new(), note.clone()]));
        } else {
            lines.insert(0, self.title.clone());
            lines.extend(self.notes.iter().flat_map(|note| wrapped(note, WIDTH)));
        }
        lines.join("\n")
    }
}

/// So many characters has a line of text below a table.
const WIDTH: usize = 118;

/// A remark of its own, in lines as those below a table.
pub fn remark(text: &str) -> String {
    wrapped(text, WIDTH).join("\n")
}

fn is_figure(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || "~<>+-*=?!".contains(first))
}

/// Lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Three digits that mean something, and thousands apart.
pub fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if magnitude < 9.995 {
        format!("{value:.2}")
    } else if magnitude < 99.95 {
        format!("{value:.1}")
    } else {
        let digits = format!("{magnitude:.0}");
        let mut text = String::from(if value < 0.0 { "-" } else { "" });
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }
}

/// Counts of something, for each operation: what is done once in a hundred times is worth a digit where there is little
/// else.
pub fn count(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded == 0.0 {
        "0".to_owned()
    } else if rounded.fract() != 0.0 && rounded.abs() < 100.0 {
        format!("{rounded:.2}")
    } else if rounded.abs() < 1_000.0 {
        format!("{rounded:.0}")
    } else {
        figure(rounded)
    }
}

/// Nanoseconds, in the unit that a reader wants.
pub fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        below if below < 1e3 => (nanoseconds, "ns"),
        below if below < 1e6 => (nanoseconds / 1e3, "µs"),
        below if below < 1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{} {unit}", if value.fract() == 0.0 && value < 1e3 { format!("{value}") } else { figure(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_thousands_apart() {
        let shown = [0.0, 0.256, 9.996, 12.34, 123.4, 1_234.0, 1_234_567.0, -1_234.0].map(figure);
        assert_eq!(shown, ["0", "0.26", "10.0", "12.3", "123", "1,234", "1,234,567", "-1,234"]);
    }

    #[test]
    fn counts_are_whole_where_they_are() {
        assert_eq!([2.0, 2.004, 0.031, 107.64, 1_728.4].map(count), ["2", "2", "0.03", "108", "1,728"]);
    }

    #[test]
    fn times_have_the_unit_that_a_reader_wants() {
        assert_eq!([90.0, 1_000.0, 45_678.0, 1e8, 2.5e9].map(time), ["90 ns", "1 µs", "45.7 µs", "100 ms", "2.50 s"]);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
    }

    #[test]
    fn a_page_gets_what_a_terminal_gets() {
        let mut table = Table::new("Title", ["name", "figure"]);
        table.row(["a", "1,234"]);
        table.note("A remark.");
        let page = table.render(Format::Markdown);
        assert_eq!(page, "**Title**\n\n| name | figure |\n|------|--------|\n| a    |  1,234 |\n\nA remark.");
        assert!(table.render(Format::Table).starts_with("Title\n name"));
    }
}
