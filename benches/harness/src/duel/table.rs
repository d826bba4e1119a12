//! The tables of a duel.

use super::{Order, Place, Ranking, VERB, rankings};
use crate::contender::{FLOOR, FLOOR_WITHOUT_ALLOCATOR, is_floor};
use crate::observation::{Observation, distinct};
use crate::table::{Table, figure};

/// For each workload, the ranking, and how often each contender was faster than each other.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let mut tables = Vec::new();
    for ranking in rankings(observations) {
        tables.push(in_order(&ranking));
    }
    let refused: Vec<_> = observations.iter().filter(|row| row.verb == VERB && row.subject.is_empty()).collect();
    if !refused.is_empty() {
        let mut table = Table::new("Not timed", ["executor", "why"]);
        for row in refused {
            table.row([&*row.executor, row.refusal().unwrap_or_default()]);
        }
        tables.push(table);
    }
    tables
}

/// The ranks that each may have: ties leave several. 0 for the floors, and where processes differ too much.
pub fn ranks(ranking: &Ranking) -> Vec<(usize, usize)> {
    let is_ranked = |place: &Place| !is_floor(&place.name) && place.is_steady();
    let others: Vec<_> = ranking.places.iter().filter(|place| is_ranked(place)).collect();
    let of = |place| {
        let certainly = |order| others.iter().filter(|other| ranking.order(other, place) == order).count();
        (1 + certainly(Order::Faster), others.len() - certainly(Order::Slower))
    };
    ranking.places.iter().map(|place| if is_ranked(place) { of(place) } else { (0, 0) }).collect()
}

/// The remark on ratios to a floor that allocates.
const ALLOCATOR: &str = "The floor boxes each future, and most of what that takes is malloc and free: what is left without them \
                         stands beside it.";

fn in_order(ranking: &Ranking) -> Table {
    let title =
        format!("{}: noise floor {}, {} processes", ranking.workload, percent(ranking.noise), ranking.processes);
    let to_reference = format!("x {}", ranking.reference);
    let floor = ranking.place(FLOOR).map(|place| place.ratio);
    let header = ["executor", "rank", "ns/op", &to_reference, "of all processes"];
    let mut table = Table::new(title, header.into_iter().chain(floor.map(|_| "x floor")));
    for (place, rank) in ranking.places.iter().zip(ranks(ranking)) {
        let rank = match rank {
            (0, _) if is_floor(&place.name) => String::new(),
            (0, _) => "!".to_owned(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        let cells = [
            place.name.clone(),
            rank,
            figure(place.nanoseconds),
            format!("{:.2}", place.ratio),
            format!("{:.2} to {:.2}", place.interval.0, place.interval.1),
        ];
        table.row(cells.into_iter().chain(floor.map(|floor| format!("{:.1}", place.ratio / floor))));
    }
    for place in ranking.places.iter().filter(|place| !place.is_steady()) {
        let (least, most) = place.interval;
        let Place { name, .. } = place;
        table.note(format!("! {name} is not ranked: one process says {least:.2}, and another one {most:.2}."));
    }
    let shortest = ranking.places.iter().filter(|place| !is_floor(&place.name) && place.is_steady());
    if let Some(place) = shortest.min_by(|one, other| one.nanoseconds.total_cmp(&other.nanoseconds))
        && ranking.noise_for(place) > 1.01 * ranking.noise
    {
        table.note(format!(
            "For {} the noise is {}: where the linker puts a loop makes about a cycle, and that is much of {} ns.",
            place.name,
            percent(ranking.noise_for(place)),
            figure(place.nanoseconds)
        ));
    }
    if ranking.place(FLOOR).is_some() && ranking.place(FLOOR_WITHOUT_ALLOCATOR).is_some() {
        table.note(ALLOCATOR);
    }
    let neighbours = |order: Order| {
        let alike = ranking.places.windows(2).filter(|pair| ranking.order(&pair[0], &pair[1]) == order);
        let alike: Vec<_> = alike.map(|pair| format!("{} and {}", pair[0].name, pair[1].name)).collect();
        Some(alike.join("; ")).filter(|pairs| !pairs.is_empty())
    };
    if let Some(pairs) = neighbours(Order::Tie) {
        table.note(format!("Ties, which differ by less than the noise: {pairs}."));
    }
    if let Some(pairs) = neighbours(Order::Unsettled) {
        table.note(format!("Open, which differ by more, but not the same way in enough processes: {pairs}."));
    }
    if let Some(pairs) = pairs(ranking) {
        table.note(pairs);
    }
    for (name, why) in &ranking.left_out {
        table.note(format!("Left out: {name}: {why}."));
    }
    table
}

/// By how many percent a factor exceeds 1.
pub fn percent(factor: f64) -> String {
    format!("{:.1} %", 100.0 * (factor - 1.0))
}

/// The pairs of which neither was faster in every block, as a sentence.
fn pairs(ranking: &Ranking) -> Option<String> {
    let mut pairs = Vec::new();
    for (number, one) in ranking.places.iter().enumerate() {
        for other in &ranking.places[number + 1..] {
            let percent = format!("{:.0}", 100.0 * ranking.probability(one, other));
            if !["0", "100"].contains(&&*percent) {
                pairs.push(format!("{} before {} in {percent}", one.name, other.name));
            }
        }
    }
    let pairs = pairs.join(", ");
    (!pairs.is_empty()).then(|| format!("Not in one order in every block; of 100, {pairs}."))
}

/// Workloads across, for a screen: ratios to the floor, marked where they tie with the fastest, and in the last rows
/// the floor itself and the noise.
pub fn side_by_side(observations: &[Observation]) -> Vec<Table> {
    let mut rankings = rankings(observations);
    rankings.retain(|ranking| !ranking.places.is_empty());
    if rankings.is_empty() {
        return Vec::new();
    }
    let header = [String::from("x floor")].into_iter().chain(rankings.iter().map(|ranking| ranking.workload.clone()));
    let mut table = Table::new("Ratios to the same work by hand", header);
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == VERB).collect();
    let measured = |name: &str| rankings.iter().any(|ranking| ranking.place(name).is_some());
    for name in distinct(rows.iter().map(|row| &*row.executor)).into_iter().filter(|name| measured(name)) {
        if !is_floor(name) {
            table.row([name.to_owned()].into_iter().chain(rankings.iter().map(|ranking| cell(ranking, name))));
        }
    }
    if rankings.iter().any(|ranking| ranking.place(FLOOR).is_some()) {
        let floors = rankings.iter().map(|ranking| {
            let floor = ranking.place(FLOOR);
            floor.map_or_else(String::new, |floor| format!("{} ns", figure(floor.nanoseconds)))
        });
        table.row([String::from("floor: ns per operation")].into_iter().chain(floors));
        let bare = |ranking: &Ranking| ranking.place(FLOOR_WITHOUT_ALLOCATOR).map(|place| place.nanoseconds);
        if rankings.iter().any(|ranking| bare(ranking).is_some()) {
            let cells = rankings.iter().map(|ranking| {
                bare(ranking).map_or_else(String::new, |nanoseconds| format!("{} ns", figure(nanoseconds)))
            });
            table.row([format!("{FLOOR_WITHOUT_ALLOCATOR}: ns per operation")].into_iter().chain(cells));
            table.note(ALLOCATOR);
        }
    } else {
        table.title = "ns per operation".to_owned();
        table.header[0] = "ns per operation".to_owned();
    }
    let noises = rankings.iter().map(|ranking| percent(ranking.largest_noise()));
    table.row([String::from("noise")].into_iter().chain(noises));
    table.note(
        "* is the fastest, and = ties with it: the two differ by less than one contender differed from itself (noise). ? is \
         open: they differ by more, and not the same way in enough processes.",
    );
    if table.rows.iter().flatten().any(|cell| cell.starts_with('!')) {
        table.note(UNSTEADY);
    }
    for row in rows {
        if let Some(why) = row.refusal() {
            table.note(format!("{} is not timed: {why}.", row.executor));
        }
    }
    vec![table]
}

/// What a `!` before a ratio means.
pub const UNSTEADY: &str = "! is not to be compared: from one process to the next it differs by more than twice.";

fn cell(ranking: &Ranking, name: &str) -> String {
    let Some(place) = ranking.place(name) else {
        let left_out = ranking.left_out.iter().any(|(other, _)| other == name);
        return if left_out { "left out".to_owned() } else { "-".to_owned() };
    };
    let mut ranked = ranking.places.iter().filter(|place| !is_floor(&place.name) && place.is_steady());
    let mark = match ranked.next() {
        _ if !ranking.is_steady(name) => "!",
        Some(fastest) if fastest.name == name => "*",
        Some(fastest) => match ranking.order(fastest, place) {
            Order::Tie => "=",
            Order::Unsettled => "?",
            Order::Faster | Order::Slower | Order::Unsteady => "",
        },
        None => "",
    };
    match ranking.place(FLOOR) {
        Some(floor) => format!("{mark}{}", figure(place.ratio / floor.ratio)),
        None => format!("{mark}{}", figure(place.nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::{SHORTEST, observed_ranking};

    fn observed(times: &[(&str, [f64; 3])]) -> Vec<Observation> {
        let rows = times.iter().flat_map(|(name, times)| {
            times.iter().zip(0..).map(|(&time, process)| Observation {
                process,
                ..Observation::new(VERB, name, "spawn_join", SHORTEST, time)
            })
        });
        rows.collect()
    }

    #[test]
    fn who_is_not_steady_is_marked_and_takes_nobodys_rank() {
        let rows = observed(&[
            ("floor", [10.0; 3]),
            ("floor-no-malloc", [2.0; 3]),
            ("a", [100.0; 3]),
            ("a#2", [100.0; 3]),
            ("b", [50.0, 50.0, 900.0]),
            ("c", [200.0; 3]),
        ]);
        let ranking = observed_ranking(&rows, "spawn_join");
        let names: Vec<_> = ranking.places.iter().map(|place| &*place.name).collect();
        assert_eq!(names, ["floor-no-malloc", "floor", "b", "a", "c"]);
        assert_eq!(ranks(&ranking), [(0, 0), (0, 0), (0, 0), (1, 1), (2, 2)]);
        let table = in_order(&ranking);
        assert_eq!(table.rows[2][1], "!");
        assert!(table.notes.iter().any(|note| note.contains("one process says 0.50, and another one 9.00")));
        assert!(table.notes.iter().any(|note| note.contains("malloc and free")));
        let table = side_by_side(&rows).remove(0);
        let cells: Vec<_> = table.rows.iter().map(|row| (&*row[0], &*row[1])).collect();
        assert_eq!(cells[..3], [("a", "*10.0"), ("b", "!5.00"), ("c", "20.0")]);
        assert_eq!(
            cells[3..5],
            [("floor: ns per operation", "10.0 ns"), ("floor-no-malloc: ns per operation", "2.00 ns")]
        );
        assert!(table.notes.iter().any(|note| note == UNSTEADY));
    }
}
