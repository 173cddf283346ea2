//! Which part of a run is this process's: `--shard I/N`, or `auto` in an array of jobs.
//!
//! Shards are numbered from 1. `auto` reads what Slurm says of a job in an array
//! (SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, with SLURM_ARRAY_TASK_MIN and
//! SLURM_ARRAY_TASK_STEP), else what Kubernetes says of an indexed job (JOB_COMPLETION_INDEX, from
//! 0, with VKD_SHARDS or JOB_COMPLETIONS for their number).

// The library's runs take a shard next.
#![cfg_attr(not(test), allow(dead_code))]

use std::fmt;
use std::str::FromStr;

/// One of several equal parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0.
    pub(crate) index: u32,
    pub(crate) count: u32,
}

impl Shard {
    fn new(index: u32, count: u32) -> Option<Shard> {
        (index < count).then_some(Shard { index, count })
    }

    /// The shard that the environment says, with `variable` to read it.
    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
        let number = |name: &str| -> Result<Option<u32>, String> {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            let wrong = || format!("{name} is \"{text}\", which is no number; write I/N instead");
            text.parse().map(Some).map_err(|_| wrong())
        };
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let place = |id: u32| id.checked_sub(first).filter(|id| id.is_multiple_of(step));
        let slurm = number("SLURM_ARRAY_TASK_ID")?.zip(number("SLURM_ARRAY_TASK_COUNT")?);
        let (id, count) = match slurm {
            Some((id, count)) => (place(id).map(|id| id / step), count),
            None => {
                let index = number("JOB_COMPLETION_INDEX")?.ok_or(
                    "auto needs SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, or \
                     JOB_COMPLETION_INDEX: neither is set; write I/N",
                )?;
                let count = number("VKD_SHARDS")?.or(number("JOB_COMPLETIONS")?).ok_or(
                    "JOB_COMPLETION_INDEX is set, but not the number of shards; set VKD_SHARDS",
                )?;
                (Some(index), count)
            }
        };
        id.and_then(|id| Shard::new(id, count)).ok_or_else(|| {
            format!("the environment's shard is not one of {count}; write I/N instead")
        })
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        if text == "auto" {
            return Shard::of_environment(|name| std::env::var(name).ok());
        }
        let parts = text.split_once('/').map(|(shard, count)| (shard.parse(), count.parse()));
        let shard = match parts {
            Some((Ok(shard), Ok(count))) => u32::checked_sub(shard, 1).zip(Some(count)),
            _ => None,
        };
        shard.and_then(|(index, count)| Shard::new(index, count)).ok_or_else(|| {
            "write I/N, shard I of N, from 1/N to N/N; or auto in an array of jobs".into()
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn shards_are_counted_from_1() {
        assert_eq!("1/4".parse(), Ok(Shard { index: 0, count: 4 }));
        assert_eq!("4/4".parse::<Shard>().unwrap().to_string(), "4/4");
        for wrong in ["0/4", "5/4", "1/0", "4", "", "/", "1/", "/4", "-1/4", "1/4/4", "a/b", "1 /4"]
        {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_array_of_jobs_says_which_shard_is_whose() {
        let of = |set: &[(&str, &str)]| {
            let value = |name: &str| {
                let found = set.iter().find(|(one, _)| *one == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            Shard::of_environment(value).map(|shard| shard.to_string())
        };
        let (id, count) = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT");
        let (first, index) = ("SLURM_ARRAY_TASK_MIN", "JOB_COMPLETION_INDEX");
        let shard = |text: &str| Ok(text.to_owned());
        assert_eq!(of(&[(id, "0"), (count, "8")]), shard("1/8"));
        assert_eq!(of(&[(id, "8"), (count, "8"), (first, "1")]), shard("8/8"));
        let step = ("SLURM_ARRAY_TASK_STEP", "3");
        assert_eq!(of(&[(id, "7"), (count, "4"), (first, "1"), step]), shard("3/4"));
        assert_eq!(of(&[(index, "2"), ("VKD_SHARDS", "3")]), shard("3/3"));
        assert_eq!(of(&[(index, "2"), ("JOB_COMPLETIONS", "4")]), shard("3/4"));
        // Slurm comes first.
        assert_eq!(of(&[(id, "1"), (count, "2"), (index, "0"), ("VKD_SHARDS", "9")]), shard("2/2"));
        for wrong in [
            &[][..],
            &[(index, "2")],
            &[(index, "3"), ("VKD_SHARDS", "3")],
            &[(id, "8"), (count, "8")],
            &[(id, "0"), (count, "8"), (first, "1")],
            &[(id, "2"), (count, "8"), step],
            &[(id, "x"), (count, "8")],
            &[(id, ""), (count, "")],
        ] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
