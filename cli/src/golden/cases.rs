//! The golden cases: what is asked of each corpus, and the hashes of the right answers, which were
//! computed by another program than vkd.

use serde_json::Value;
use vkd::{Heads, Request, Rule};

use super::rows::{Rows, PSALMS};

/// Hashes of sequences and neighbours of each corpus, and those by each rule.
const GOLDEN: &str = include_str!("../../data/golden.json");
const RULES: &str = include_str!("../../data/rules.json");

/// Which cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Those of at most 300 items, of the rules one corpus.
    Quick,
    /// All.
    Full,
}

/// What is asked of a corpus.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Sequences(Request),
    /// So many of each item.
    Neighbors(u32),
}

/// Hashes (SHA-256, in hex) of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) items: String,
    /// Where values are asked for.
    pub(crate) values: Option<String>,
}

/// A question, and the hashes of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) center: bool,
    pub(crate) work: Work,
    pub(crate) expected: Hashes,
}

impl Case {
    /// What a reader knows it by.
    pub(crate) fn name(&self) -> String {
        let center = if self.center { "centred" } else { "plain" };
        let work = match &self.work {
            Work::Neighbors(k) => format!("{k} neighbours"),
            Work::Sequences(Request { rule, heads, values, .. }) => {
                let rule = match rule {
                    Rule::Mmr(lambda) => format!("mmr {}", lambda.value()),
                    rule => rule.name().into(),
                };
                let heads = if heads.is_some() { " of heads" } else { "" };
                format!("{rule}{heads}{}", if *values { " with values" } else { "" })
            }
        };
        format!("{}, {center}, {work}", self.file)
    }
}

/// The cases of an effort, those of one corpus side by side.
pub(crate) fn cases(effort: Effort) -> Vec<Case> {
    let list = |text| match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let is_quick = |file: &str| file == "odd_257x7.npy";
    let plain = list(GOLDEN);
    let plain = plain.iter().filter(|one| effort == Effort::Full || is_small(one));
    let rules = list(RULES);
    let rules = rules.iter().filter_map(of_rule);
    let rules = rules.filter(|case| effort == Effort::Full || is_quick(&case.file));
    let mut cases: Vec<Case> = plain.flat_map(of_corpus).chain(rules).collect();
    // The command has not the largest corpus.
    cases.retain(|case| Rows::is_there(&case.file));
    cases.sort_by(|a, b| a.file.cmp(&b.file));
    cases
}

/// Whether a corpus has 300 items at most.
fn is_small(corpus: &Value) -> bool {
    corpus["n"].as_u64().is_some_and(|items| items <= 300)
}

/// The cases of one corpus in golden.json.
fn of_corpus(corpus: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (center, kind) in [(false, "plain"), (true, "centered")] {
        // Where centring leaves nothing there is a text.
        for (name, hash) in corpus[kind].as_object().into_iter().flatten() {
            let work = match name.as_str() {
                "sequences_sha256" => Some(Work::Sequences(Request::default())),
                name => neighbors(name).map(Work::Neighbors),
            };
            let (Some(work), Some(hash)) = (work, hash.as_str()) else { continue };
            let expected = Hashes { items: hash.into(), values: None };
            cases.push(Case { file: file(corpus), center, work, expected });
        }
    }
    cases
}

/// The number in "neighbors_5_sha256".
fn neighbors(name: &str) -> Option<u32> {
    name.strip_prefix("neighbors_")?.strip_suffix("_sha256")?.parse().ok()
}

/// The name of a corpus without its folder.
fn file(case: &Value) -> String {
    let file = case["file"].as_str().unwrap_or_default();
    if file.ends_with(PSALMS) { PSALMS } else { file }.to_owned()
}

/// One case of rules.json.
fn of_rule(case: &Value) -> Option<Case> {
    let numbers = |list: &Value| -> Option<Vec<u32>> {
        list.as_array()?.iter().map(|item| item.as_u64()?.try_into().ok()).collect()
    };
    let heads = match case["heads"].as_array() {
        None => None,
        Some(heads) => {
            let heads: Option<Vec<Vec<u32>>> = heads.iter().map(numbers).collect();
            let heads = heads?;
            let length = heads.first()?.len() as u32;
            Some(Heads { items: heads.concat(), length })
        }
    };
    let request = Request {
        starts: numbers(&case["starts"]),
        heads,
        length: case["length"].as_u64()?.try_into().ok()?,
        rule: Rule::new(case["rule"].as_str()?, case["lambda"].as_f64()).ok()?,
        values: true,
        ..Request::default()
    };
    let hash = |name: &str| case[name].as_str().map(str::to_owned);
    let expected = Hashes { items: hash("items_sha256")?, values: hash("values_sha256") };
    let center = case["center"].as_bool()?;
    let file = file(case);
    Some(Case { file, center, work: Work::Sequences(request), expected })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_case_has_its_corpus_and_whole_hashes() {
        for (effort, least) in [(Effort::Quick, 50), (Effort::Full, 300)] {
            let cases = cases(effort);
            assert!(cases.len() >= least, "{effort:?}: {}", cases.len());
            for case in &cases {
                let name = case.name();
                let hashes = [Some(&case.expected.items), case.expected.values.as_ref()];
                assert!(hashes.into_iter().flatten().all(|hash| hash.len() == 64), "{name}");
            }
        }
        let all: Vec<Value> = serde_json::from_str(RULES).unwrap();
        assert_eq!(all.iter().filter(|case| of_rule(case).is_none()).count(), 0);
    }
}
