//! How many rows of the matrix the sequences of a run add, each counted once: sequences of one rule
//! have many of their picks in common.

use crate::corpus::Shape;
use crate::plan::PlanShape;
use crate::rule::Rule;

/// Rows that a sequence adds.
pub(super) fn rows_of_each(plan: &PlanShape) -> u32 {
    // A chain needs the last of its head only; the last pick's row nobody needs.
    let first = if plan.rule == Rule::Chain { plan.head } else { 1 };
    plan.length.saturating_sub(first)
}

/// Rows that all sequences add, in floating point: they may be more than 64 bits count.
pub(super) fn rows(plan: &PlanShape) -> f64 {
    f64::from(plan.count) * f64::from(rows_of_each(plan))
}

/// Rows that all sequences add, each counted once, about: starts are different items, and the
/// sequences of a rule have more or fewer of their picks in common. Counted on clustered items and
/// on two collections of texts, see docs/performance.md.
pub(super) fn different_rows(shape: Shape, plan: &PlanShape) -> f64 {
    let (items, rows) = (f64::from(shape.num_items), rows(plan));
    let starts = f64::from(plan.count).min(items);
    let picks = (rows - starts).max(0.0);
    let new = match plan.rule {
        Rule::Centroid => (6.0 * picks.sqrt()).max(rows_of_each(plan).into()),
        Rule::Farthest | Rule::Chain => 5.0 * picks.powf(2.0 / 3.0),
        Rule::Mmr(_) => picks,
    };
    let picked = items * (1.0 - (-new.min(picks) / items).exp());
    (starts + picked).min(rows).min(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Request;

    fn different(rule: Rule, count: u32, length: u32) -> f64 {
        let request = Request { starts: Some((0..count).collect()), length, rule, ..UNASKED };
        let shape = Shape { num_items: 6000, dim: 384 };
        different_rows(shape, &request.shape(6000).expect("a plan"))
    }

    const UNASKED: Request = Request {
        starts: None,
        heads: None,
        length: 0,
        rule: Rule::Centroid,
        values: false,
        shard: None,
    };

    /// One sequence needs each of its rows once; many need fewer than they add, and never more than
    /// there are.
    #[test]
    fn sequences_of_one_rule_share_rows() {
        assert!((90.0..=99.0).contains(&different(Rule::Centroid, 1, 100)));
        assert!((300.0..=600.0).contains(&different(Rule::Centroid, 32, 100)));
        assert!(different(Rule::Farthest, 32, 100) > different(Rule::Centroid, 32, 100));
        assert!(different(Rule::Centroid, 6000, 6000) <= 6000.0);
        assert_eq!(different(Rule::Centroid, 8, 1), 0.0);
    }
}
