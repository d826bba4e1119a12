//! Workloads down, contenders across.

use std::fmt::Write;

use crate::contenders::{Contender, Kind};

/// What stands where a workload and a contender meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Not measured in this run, or not for this contender.
    Empty,
    /// Nanoseconds per operation.
    Figure(f64),
    /// Why there is no figure.
    Refused(String),
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub name: &'static str,
    /// Which block it is in.
    pub kind: Kind,
}

impl From<&Contender> for Column {
    fn from(contender: &Contender) -> Self {
        Self { name: contender.name, kind: contender.kind }
    }
}

/// Figures side by side, each with its ratio to the best of its row.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<(&'static str, Vec<Cell>)>,
}

/// A line of cells, the label first.
type Line = Vec<String>;

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub fn row(&mut self, label: &'static str, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column");
        self.rows.push((label, cells));
    }

    /// Whether there is no figure in it.
    pub fn is_empty(&self) -> bool {
        !self.rows.iter().flat_map(|(_, cells)| cells).any(|cell| matches!(cell, Cell::Figure(_)))
    }

    /// As text: those that own tasks in one block, those that do not in a second, the floor first in both. Rows and
    /// columns without anything in them are left out. Ratios are to the best of the whole row, the floor not counted.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut reasons = Vec::new();
        for kind in [Kind::Executor, Kind::BlockOn] {
            let columns: Vec<usize> = (0..self.columns.len())
                .filter(|&column| matches!(self.columns[column].kind, Kind::Floor) || self.columns[column].kind == kind)
                .filter(|&column| self.rows.iter().any(|(_, cells)| cells[column] != Cell::Empty))
                .collect();
            let lines = self.block(kind, &columns, &mut reasons);
            if !lines.is_empty() {
                align(&lines, &mut text);
                text.push('\n');
            }
        }
        for (number, reason) in reasons.iter().enumerate() {
            writeln!(text, "[{}] {reason}", number + 1).expect("writing to a string does not fail");
        }
        text
    }

    /// Each row is a line of figures and a line of ratios.
    fn block(&self, kind: Kind, columns: &[usize], reasons: &mut Vec<String>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (label, cells) in &self.rows {
            let best = self.best(cells);
            let measured = |&column: &usize| cells[column] != Cell::Empty;
            let has_own = columns.iter().any(|column| self.columns[*column].kind == kind && measured(column));
            let has_floor_alone = best.is_none() && kind == Kind::Executor && columns.iter().any(measured);
            if has_own || has_floor_alone {
                let texts = columns.iter().map(|&column| cells[column].texts(best, reasons));
                let (figures, ratios): (Line, Line) = texts.unzip();
                lines.push([vec![(*label).to_owned()], figures].concat());
                lines.push([vec![String::new()], ratios].concat());
            }
        }
        if !lines.is_empty() {
            lines.splice(0..0, self.header(columns));
        }
        lines
    }

    fn best(&self, cells: &[Cell]) -> Option<f64> {
        let contenders = self.columns.iter().zip(cells).filter(|(column, _)| column.kind != Kind::Floor);
        contenders
            .filter_map(|(_, cell)| if let Cell::Figure(figure) = cell { Some(*figure) } else { None })
            .min_by(f64::total_cmp)
    }

    /// Names are cut at their hyphens and stand on the line of figures below: columns stay narrow.
    fn header(&self, columns: &[usize]) -> Vec<Line> {
        let names: Vec<Vec<&str>> =
            columns.iter().map(|&column| self.columns[column].name.split_inclusive('-').collect()).collect();
        let height = names.iter().map(Vec::len).max().unwrap_or(0);
        (0..height)
            .map(|line| {
                let label = if line + 1 == height { "ns per operation" } else { "" };
                let parts =
                    names.iter().map(|parts| (line + parts.len()).checked_sub(height).map_or("", |part| parts[part]));
                std::iter::once(label).chain(parts).map(str::to_owned).collect()
            })
            .collect()
    }
}

impl Cell {
    /// The figure and its ratio, or what stands for them.
    fn texts(&self, best: Option<f64>, reasons: &mut Vec<String>) -> (String, String) {
        match self {
            Self::Empty => ("-".to_owned(), String::new()),
            Self::Figure(figure) => {
                let ratio = best.map_or_else(String::new, |best| format!("({}x)", ratio(figure / best)));
                (number(*figure, 2), ratio)
            }
            Self::Refused(reason) => {
                let known = reasons.iter().position(|known| known == reason).unwrap_or(reasons.len());
                if known == reasons.len() {
                    reasons.push(reason.clone());
                }
                (format!("[{}]", known + 1), String::new())
            }
        }
    }
}

/// The label to the left, everything else to the right.
fn align(lines: &[Line], text: &mut String) {
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    for line in lines {
        let mut aligned = format!("{:<1$}", line[0], widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            write!(aligned, "  {cell:>width$}").expect("writing to a string does not fail");
        }
        text.push_str(aligned.trim_end());
        text.push('\n');
    }
}

/// One digit behind the point: what is behind it is noise. Below 1 stands only the floor, which may be far below.
fn ratio(value: f64) -> String {
    number(value, if value < 0.995 { 2 } else { 1 })
}

/// Three digits that count, and no more than so many behind the point: `9.25`, `23.1`, `104`, `104,512`.
fn number(value: f64, decimals: usize) -> String {
    let shown = |decimals: usize, limit: f64| value < limit - 0.5 * 0.1_f64.powi(decimals as i32);
    let decimals = match decimals {
        all if shown(all, 10.0) => all,
        1.. if shown(decimals - 1, 100.0) => decimals - 1,
        _ => 0,
    };
    let digits = format!("{value:.decimals$}");
    let whole = digits.split('.').next().unwrap_or_default().len();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index < whole && (whole - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column { name: "floor", kind: Kind::Floor },
            Column { name: "raw-waker", kind: Kind::Executor },
            Column { name: "async-executor-local", kind: Kind::Executor },
            Column { name: "pollster", kind: Kind::BlockOn },
        ]
    }

    #[test]
    fn the_table_is_aligned_and_holds_figures_ratios_and_reasons() {
        let mut table = Table::new(columns());
        let refused = Cell::Refused("async-executor-local: W1 fails".to_owned());
        table.row("yield_one", vec![Cell::Figure(2.0), Cell::Figure(23.14), Cell::Figure(230.6), Cell::Empty]);
        table.row("one_ready_10000", vec![Cell::Figure(9.0), Cell::Figure(104_512.0), refused, Cell::Empty]);
        table.row("block_on_ready", vec![Cell::Figure(1.5), Cell::Figure(20.0), Cell::Empty, Cell::Figure(10.0)]);
        table.row("abort", vec![Cell::Empty; 4]);
        let expected = "
                                       async-
                              raw-  executor-
ns per operation    floor    waker      local
yield_one            2.00     23.1        231
                  (0.09x)   (1.0x)      (10x)
one_ready_10000      9.00  104,512        [1]
                  (0.00x)   (1.0x)
block_on_ready       1.50     20.0          -
                  (0.15x)   (2.0x)

ns per operation    floor  pollster
block_on_ready       1.50      10.0
                  (0.15x)    (1.0x)

[1] async-executor-local: W1 fails
";
        assert_eq!(format!("\n{}", table.render()), expected);
    }

    #[test]
    fn columns_of_a_filtered_run_are_those_that_ran() {
        let mut table = Table::new(columns());
        assert!(table.is_empty());
        table.row("yield_one", vec![Cell::Empty, Cell::Figure(5.0), Cell::Empty, Cell::Empty]);
        assert!(!table.is_empty());
        assert_eq!(
            table.render(),
            "                    raw-\nns per operation   waker\nyield_one           5.00\n                  (1.0x)\n\n"
        );
    }

    #[test]
    fn the_floor_alone_is_a_table_too() {
        let mut table = Table::new(columns());
        table.row("yield_one", vec![Cell::Figure(5.0), Cell::Empty, Cell::Empty, Cell::Empty]);
        assert_eq!(table.render(), "ns per operation  floor\nyield_one          5.00\n\n\n");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown =
            [0.004, 9.994, 9.996, 23.14, 99.96, 104.4, 999.6, 1_234.5, 1_234_567.0].map(|value| number(value, 2));
        assert_eq!(shown, ["0.00", "9.99", "10.0", "23.1", "100", "104", "1,000", "1,234", "1,234,567"]);
    }
}
