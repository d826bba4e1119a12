//! Tables, for a terminal and for a page.

use std::{env, io};

use clap::ValueEnum;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, TableStyle};
use serde::Serialize;

/// Only a line below the header: a table copied from a terminal reads well in a mail.
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
    /// The rows from which the tables are made, one JSON object a line.
    Json,
    /// Tests for a CI system, as JUnit XML: only from `conform`.
    Junit,
}

/// Rows under a header, with a title above and remarks below.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// What it shows, in one line.
    pub title: String,
    /// What neighbouring columns have in common: a word for each column, empty where it stands alone. Nothing where no
    /// column has anything in common with another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The names of the columns; the first column has the names of the rows.
    pub header: Vec<String>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { title: title.into(), header, ..Self::default() }
    }

    /// A table without rows, whose columns have the name of their group before their own.
    pub fn grouped(title: impl Into<String>, columns: &[(&str, &str)]) -> Self {
        let groups = columns.iter().map(|(group, _)| (*group).to_owned()).collect();
        Self { groups, ..Self::new(title, columns.iter().map(|(_, name)| *name)) }
    }

    /// The name of a column with that of its group.
    fn full_name(&self, column: usize) -> String {
        match self.groups.get(column).filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}: {}", self.header[column]),
            None => self.header[column].clone(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.header.len(), "a row has a cell for each column");
        self.rows.push(cells);
    }

    /// Adds a remark, unless the table has it already.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// As text; for a terminal, no wider than that.
    pub fn render(&self, format: Format) -> String {
        if format == Format::Markdown {
            let title =
                if self.title.is_empty() { Vec::new() } else { vec![format!("**{}**", self.title), String::new()] };
            let notes = self.notes.iter().flat_map(|note| [String::new(), wrapped(note, WIDEST).join("\n")]);
            let all: Vec<_> = (0..self.header.len()).collect();
            let names = all.iter().map(|&column| self.full_name(column)).collect();
            return title
                .into_iter()
                .chain(self.lines(&all, names, &self.rows, ASCII_MARKDOWN))
                .chain(notes)
                .collect::<Vec<_>>()
                .join("\n");
        }
        self.render_within(width())
    }

    /// For a terminal of that many columns. A table that is too wide is split into several below one another, each with
    /// the names of the rows. If the names do not identify rows, or leave too little room, each row becomes a
    /// paragraph.
    pub fn render_within(&self, width: usize) -> String {
        let mut lines = wrapped(&self.title, width);
        for (number, block) in self.blocks(width).into_iter().enumerate() {
            if number > 0 {
                lines.push(String::new());
            }
            match block {
                Block::Columns(columns) => {
                    lines.extend(self.group_line(&columns));
                    lines.extend(self.lines(&columns, self.names(&columns), &self.rows, PLAIN));
                }
                Block::Wrapped(column, room) => {
                    let mut rows = self.rows.clone();
                    rows.iter_mut().for_each(|row| row[column] = wrapped(&row[column], room).join("\n"));
                    lines.extend(self.lines(&[0, column], self.names(&[0, column]), &rows, PLAIN));
                }
                Block::Paragraphs(columns) => {
                    for row in &self.rows {
                        let cells = columns.iter().map(|&column| format!("{} {}", self.full_name(column), row[column]));
                        lines.extend(paragraph(" ", &cells.collect::<Vec<_>>().join("; "), width));
                    }
                }
            }
        }
        lines.extend(self.notes.iter().flat_map(|note| wrapped(note, width.min(WIDEST))));
        lines.join("\n")
    }

    /// Which columns are shown next to one another.
    fn blocks(&self, width: usize) -> Vec<Block> {
        let widths: Vec<usize> = (0..self.header.len()).map(|column| self.width_of(column)).collect();
        // Each cell has a space on both sides, and columns are one space apart.
        let fit = |columns: &[usize]| columns.iter().map(|&column| widths[column] + 3).sum::<usize>() <= width + 1;
        let all: Vec<_> = (0..widths.len()).collect();
        if fit(&all) || self.rows.is_empty() {
            return vec![Block::Columns(all)];
        }
        let mut names: Vec<_> = self.rows.iter().map(|row| &row[0]).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < self.rows.len() {
            return vec![Block::Paragraphs(all)];
        }
        let mut blocks: Vec<Block> = Vec::new();
        for column in all.into_iter().skip(1) {
            let room = (width + 1).saturating_sub(widths[0] + 6);
            match blocks.last_mut() {
                Some(Block::Columns(columns)) if fit(&[&columns[..], &[column]].concat()) => columns.push(column),
                Some(Block::Paragraphs(columns)) if room < widths[column] => columns.push(column),
                _ if fit(&[0, column]) => blocks.push(Block::Columns(vec![0, column])),
                _ if room >= LEAST_ROOM && room >= self.header[column].chars().count() => {
                    blocks.push(Block::Wrapped(column, room));
                }
                _ => blocks.push(Block::Paragraphs(vec![0, column])),
            }
        }
        blocks
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| &row[column]).chain([&self.header[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn names(&self, columns: &[usize]) -> Vec<String> {
        columns.iter().map(|&column| self.header[column].clone()).collect()
    }

    /// The names of the groups above these columns, each with a line over all that belong to it.
    fn group_line(&self, columns: &[usize]) -> Option<String> {
        let group = |column: usize| self.groups.get(column).map_or("", String::as_str);
        let mut line = String::new();
        for run in columns.chunk_by(|one, other| group(*one) == group(*other)) {
            // A space on both sides of each, and one between two.
            let span = run.iter().map(|&column| self.width_of(column) + 3).sum::<usize>() - 3;
            let name: String = group(run[0]).chars().take(span).collect();
            let rule = if name.is_empty() {
                String::new()
            } else {
                "─".repeat((span - name.chars().count()).saturating_sub(1))
            };
            line.push_str(&format!(" {:<span$}  ", format!("{name} {rule}").trim_end()));
        }
        let line = line.trim_end().to_owned();
        (!line.is_empty()).then_some(line)
    }

    /// Some of the columns under these names, as lines.
    fn lines(&self, columns: &[usize], names: Vec<String>, rows: &[Vec<String>], style: TableStyle) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_style(style);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(names);
        for row in rows {
            table.add_row(columns.iter().map(|&column| &row[column]));
        }
        // Names are aligned left, figures right.
        for (column, place) in table.column_iter_mut().zip(columns) {
            let cells = || self.rows.iter().map(|row| &row[*place]);
            let figures = *place > 0 && cells().all(|cell| !cell.contains(' ') || is_figure(cell));
            column.set_cell_alignment(if figures { CellAlignment::Right } else { CellAlignment::Left });
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// How a part of a table is shown.
enum Block {
    /// These columns, as they are.
    Columns(Vec<usize>),
    /// The names, and the text of one column in lines of at most that many characters.
    Wrapped(usize, usize),
    /// For each row, the text of these columns, one after another.
    Paragraphs(Vec<usize>),
}

/// Text in a column narrower than this is harder to read than a paragraph.
const LEAST_ROOM: usize = 24;

/// Longer lines are hard to read.
const WIDEST: usize = 118;

/// How many columns to print on: as COLUMNS says, or the terminal, or otherwise what every terminal has.
fn width() -> usize {
    let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    said.or_else(terminal).unwrap_or(80)
}

/// Wraps text to the width of the terminal. A wrapped line keeps its indentation.
pub fn paragraphs(text: &str) -> String {
    let width = width();
    let lines = text.split('\n').flat_map(|line| {
        let start = line.trim_start_matches(' ');
        paragraph(&line[..line.len() - start.len()], start, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Indents the lines of a text, all but the first by two more.
fn paragraph(indentation: &str, text: &str, width: usize) -> Vec<String> {
    let lines = wrapped(text, width.saturating_sub(indentation.len() + 2).max(1));
    let more = |(number, line): (usize, &String)| {
        format!("{indentation}{}{line}", if number > 0 && !line.is_empty() { "  " } else { "" }).trim_end().to_owned()
    };
    lines.iter().enumerate().map(more).collect()
}

fn is_figure(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || "~<>+-*=?!".contains(first))
}

/// Lines of at most that many characters.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
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

/// Three significant digits, with thousands separated.
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

/// A count per operation. What happens once in a hundred operations deserves a digit if there is little else.
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

/// Nanoseconds, in a readable unit.
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

    /// Names of 20 characters and columns of 8, of which 3 fit into 60 with the names.
    fn wide() -> Table {
        let mut table =
            Table::new("Title", ["name"].into_iter().chain(["figure-1", "figure-2", "figure-3", "figure-4"]));
        for name in ["async-executor-local", "raw-waker"] {
            table.row([name, "1", "2", "3", "4"]);
        }
        table.note("One two three four five six seven eight nine ten eleven twelve.");
        table
    }

    #[test]
    fn a_table_that_is_too_wide_goes_on_below_with_the_names() {
        let (wide, all, half) = (wide().render_within(200), wide().render_within(66), wide().render_within(60));
        assert_eq!(wide.lines().count(), 1 + 4 + 1, "{wide}");
        assert_eq!(all.lines().count(), 1 + 4 + 1, "exactly so wide: {all}");
        assert_eq!(half.matches("raw-waker").count(), 2, "{half}");
        assert!(half.contains("figure-3\n") && half.contains("\n\n name                   figure-4\n"), "{half}");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal_and_nothing_is_left_out() {
        let mut refused = Table::new("Not measured", ["executor", "why"]);
        refused.row(["async-executor-local", "breaks X8 (a promise in many words), and 3 more: `conform` shows it"]);
        let mut unnamed = Table::new("What changed", ["what", "executor", "old", "new"]);
        unnamed.row(["count", "async-executor-local", "1,234,567", "7,654,321"]);
        unnamed.row(["count", "raw-waker", "1,234,567", "7,654,321"]);
        for table in [wide(), refused, unnamed] {
            for width in 40..=120 {
                let text = table.render_within(width);
                assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
                let words = table.rows.iter().flatten().chain(&table.header).flat_map(|cell| cell.split(' '));
                words.for_each(|word| assert!(text.contains(word), "{width}: no {word} in\n{text}"));
            }
        }
    }

    #[test]
    fn what_columns_have_in_common_stands_above_them_once() {
        let mut table =
            Table::grouped("", &[("", "name"), ("a wake", "instructions"), ("a wake", "atomics"), ("", "x")]);
        table.row(["raw-waker", "94", "2", "1"]);
        let text = table.render_within(100);
        let top = "\n             a wake ───────────────\n name        instructions   atomics   x\n";
        assert!(text.starts_with(top), "{text}");
        let page = table.render(Format::Markdown);
        assert!(page.contains("| a wake: instructions | a wake: atomics | x |"), "{page}");
        // In two blocks each has it.
        assert_eq!(table.render_within(30).matches("a wake").count(), 2);
    }

    #[test]
    fn a_broken_line_stays_indented() {
        assert_eq!(paragraph("  ", "one two three", 12), ["  one two", "    three"]);
    }
}
