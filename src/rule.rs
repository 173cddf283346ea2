//! The rules: what a sequence asks of its next item.
//!
//! A rule gives every candidate a cost; the next pick is always the untaken item with the lowest
//! cost, on equal costs the lowest number. With g(s, j) the similarity of two items in Q15 and P
//! the items so far:
//!
//! - `centroid`: the sum of c(p, j) over p in P, g weighted by the length of p. The item farthest
//!   from the centroid of P.
//! - `farthest`: the largest g(p, j) over p in P. Farthest-first traversal (Gonzalez 1985).
//! - `mmr`: lambda x g(h, j) - (1 - lambda) x the largest g(p, j) over P without h, negated; h is
//!   the first item of the head. Maximal marginal relevance (Carbonell and Goldstein 1998).
//! - `chain`: g(last of P, j), negated. A walk to the nearest item not yet seen.

use crate::error::{Error, Result};

/// What a sequence asks of its next item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The item farthest from the centroid of all so far.
    #[default]
    Centroid,
    /// The item whose nearest neighbour among all so far is farthest.
    Farthest,
    /// The item that is most like the first one and least like those shown since.
    Mmr(Lambda),
    /// The item nearest to the last one.
    Chain,
}

/// The weight of likeness to the first item against repetition, in Q15: 0 to 32,768 for 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lambda(u16);

impl Lambda {
    /// 1 in Q15.
    pub const ONE: i32 = 1 << 15;

    /// Of a number from 0 to 1, rounded to the nearest of 32,769 steps.
    pub fn new(lambda: f64) -> Result<Lambda> {
        match (0.0..=1.0).contains(&lambda) {
            true => Ok(Lambda((lambda * f64::from(Lambda::ONE)).round() as u16)),
            false => Err(Error::BadOption {
                option: "lambda",
                got: lambda.to_string(),
                allowed: "use a number from 0 (all unlike those before) to 1 (all like the first)"
                    .into(),
            }),
        }
    }

    /// In Q15, 0 to 32,768.
    pub fn q15(self) -> i32 {
        self.0.into()
    }

    /// The number from 0 to 1 that it stands for, exactly.
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(Lambda::ONE)
    }
}

impl Default for Lambda {
    /// 0.5, as common elsewhere.
    fn default() -> Lambda {
        Lambda(1 << 14)
    }
}

impl Rule {
    /// The names of all rules.
    pub const NAMES: [&'static str; 4] = ["centroid", "farthest", "mmr", "chain"];

    /// The rule of this name; `lambda` is for mmr alone, 0.5 where it is not given.
    pub fn new(name: &str, lambda: Option<f64>) -> Result<Rule> {
        let rule = match name {
            "centroid" => Rule::Centroid,
            "farthest" => Rule::Farthest,
            "mmr" => Rule::Mmr(lambda.map(Lambda::new).transpose()?.unwrap_or_default()),
            "chain" => Rule::Chain,
            other => {
                return Err(Error::BadOption {
                    option: "rule",
                    got: other.into(),
                    allowed: format!("use one of {}", Rule::NAMES.join(", ")),
                })
            }
        };
        match (rule, lambda) {
            (Rule::Mmr(_), _) | (_, None) => Ok(rule),
            (_, Some(lambda)) => Err(Error::BadOption {
                option: "lambda",
                got: lambda.to_string(),
                allowed: format!("the rule {name} has none: leave it out, or use the rule mmr"),
            }),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Centroid => "centroid",
            Rule::Farthest => "farthest",
            Rule::Mmr(_) => "mmr",
            Rule::Chain => "chain",
        }
    }

    /// The weight of likeness, of mmr.
    pub fn lambda(self) -> Option<Lambda> {
        match self {
            Rule::Mmr(lambda) => Some(lambda),
            _ => None,
        }
    }

    /// What a row of the matrix holds for it.
    pub fn weighing(self) -> Weighing {
        match self {
            Rule::Centroid => Weighing::Weighted,
            _ => Weighing::Plain,
        }
    }
}

/// What a row of the matrix holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weighing {
    /// c: contributions, weighted by the length of the row's item.
    Weighted,
    /// g: similarities. Of rows of equal length the two are the same.
    Plain,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_and_only_mmr_a_lambda() {
        for name in Rule::NAMES {
            assert_eq!(Rule::new(name, None).unwrap().name(), name);
            assert_eq!(Rule::new(name, Some(0.5)).is_ok(), name == "mmr");
        }
        assert_eq!(Rule::new("mmr", None), Rule::new("mmr", Some(0.5)));
        assert!(Rule::new("median", None).unwrap_err().to_string().contains("centroid, farthest"));
    }

    #[test]
    fn lambdas_are_rounded_to_q15_and_kept_within_0_and_1() {
        let q15 = |lambda| Lambda::new(lambda).map(Lambda::q15);
        assert_eq!([q15(0.0), q15(-0.0), q15(1.0)], [Ok(0), Ok(0), Ok(32_768)]);
        assert_eq!([q15(0.7), q15(0.3)], [Ok(22_938), Ok(9_830)]);
        assert_eq!(Lambda::new(Lambda::new(0.7).unwrap().value()), Lambda::new(0.7));
        for wrong in [-1e-9, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(matches!(Lambda::new(wrong), Err(Error::BadOption { option: "lambda", .. })));
        }
    }
}
