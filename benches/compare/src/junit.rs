//! What `conform` found in the form in which CI systems read tests: a suite for each executor, a case for each clause.

use conformance::Outcome;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::conform::Found;

/// A report as JUnit's XML. What kept its promise where it could have been broken is a success; what is not applicable
/// or vacuous proves nothing and is skipped, with the reason.
///
/// # Errors
///
/// When it cannot be written as XML.
pub(crate) fn report(found: &[Found]) -> Result<String, String> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for found in found {
        let known = suites.iter().position(|suite| suite.name.as_str() == found.executor);
        let place = known.unwrap_or_else(|| {
            suites.push(TestSuite::new(found.executor));
            suites.len() - 1
        });
        suites[place].add_test_case(case(found));
    }
    let mut report = Report::new("conform");
    // Only now, as it counts what is in them.
    report.add_test_suites(suites);
    report.to_string().map_err(|error| format!("the outcomes cannot be written as XML: {error}"))
}

fn case(found: &Found) -> TestCase {
    let clause = found.clause;
    let status = match &found.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Fail(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let guards = format!("guards against: {}", clause.guards);
            let varies = found.varies().map(|why| format!("varies: {}", why.replace("**", "")));
            let printed = found.last_words.iter().map(|line| format!("printed: {line}"));
            let lines: Vec<_> = [why.clone()].into_iter().chain(printed).chain(varies).chain([guards]).collect();
            status.set_type(clause.level.to_string());
            status.set_message(why.lines().next().unwrap_or_default()).set_description(lines.join("\n"));
            status
        }
        excused @ (Outcome::NotApplicable { .. } | Outcome::Vacuous(_)) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(excused.to_string());
            status
        }
    };
    let mut case = TestCase::new(format!("{} {}", clause.id, clause.promise), status);
    case.set_classname(found.executor);
    case
}

#[cfg(test)]
mod tests {
    use conformance::{Clause, Level};

    use super::*;

    fn found(executor: &'static str, outcome: Outcome) -> Found {
        let promise = "A `Waker<'_>` & a \"handle\" are woken.";
        let clause = Clause { id: "X9", level: Level::Contract, promise, guards: "a < b && ]]>" };
        Found { executor, clause, outcome, remembered: false, last_words: vec!["<\u{1b}[31mred\u{1b}[0m>".to_owned()] }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let na = Outcome::NotApplicable { capability: "remote_spawn", why: "no <spawner>" };
        let found = [
            found("mine", Outcome::Pass),
            found("theirs", Outcome::Fail("left: \"<a>\"\nright: 'b' & \u{0}\u{7} ]]>".to_owned())),
            found("mine", na),
            found("mine", Outcome::Vacuous("nobody & nothing")),
        ];
        let text = report(&found).expect("it can be written");
        let read = Report::deserialize_from_str(&text).expect("it is XML");
        assert_eq!((read.tests, read.failures, read.errors, read.skipped), (4, 1, 0, 2));
        let suites: Vec<_> =
            read.test_suites.iter().map(|suite| (suite.name.as_str(), suite.test_cases.len())).collect();
        assert_eq!(suites, [("mine", 3), ("theirs", 1)]);
        let [pass, not_applicable, vacuous] = &read.test_suites[0].test_cases[..] else { unreachable!() };
        assert_eq!(pass.name.as_str(), "X9 A `Waker<'_>` & a \"handle\" are woken.");
        assert!(matches!(pass.status, TestCaseStatus::Success { .. }), "{pass:?}");
        let skipped = |case: &TestCase| match &case.status {
            TestCaseStatus::Skipped { message, .. } => message.as_ref().expect("it says why").to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(skipped(not_applicable), "N/A (remote_spawn): no <spawner>");
        assert_eq!(skipped(vacuous), "Vacuous: nobody & nothing");
        let TestCaseStatus::NonSuccess { kind, message, ty, description, .. } =
            &read.test_suites[1].test_cases[0].status
        else {
            panic!("a broken clause is no success")
        };
        assert_eq!((*kind, ty.as_deref()), (NonSuccessKind::Failure, Some("contract")));
        assert_eq!(message.as_deref(), Some("left: \"<a>\""));
        // Without what XML has no place for.
        let all = "left: \"<a>\"\nright: 'b' &  ]]>\nprinted: <red>\nguards against: a < b && ]]>";
        assert_eq!(description.as_deref(), Some(all));
    }
}
