//! Which part of a run is this process's: `--shard I/N`, or `auto` in an array of jobs.
//!
//! `auto` reads what Slurm says of a job in an array (SLURM_ARRAY_TASK_ID and
//! SLURM_ARRAY_TASK_COUNT, with SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_STEP), else what
//! Kubernetes says of an indexed job (JOB_COMPLETION_INDEX, from 0, with VKD_SHARDS or
//! JOB_COMPLETIONS for their number).

use vkd::Shard;

/// The shard that an argument means.
pub(crate) fn parse(text: &str) -> Result<Shard, String> {
    match text {
        "auto" => of_environment(|name| std::env::var(name).ok()),
        text => text.parse().map_err(|error: vkd::Error| error.to_string()),
    }
}

/// The shard that the environment says, with `variable` to read it.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| number(name, variable(name));
    let slurm = number("SLURM_ARRAY_TASK_ID")?.zip(number("SLURM_ARRAY_TASK_COUNT")?);
    if let Some((id, count)) = slurm {
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let place = id.checked_sub(first).filter(|place| place.is_multiple_of(step));
        return shard(place.map(|place| place / step), count, "SLURM_ARRAY_TASK_ID");
    }
    let index = number("JOB_COMPLETION_INDEX")?.ok_or(
        "auto needs SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, or JOB_COMPLETION_INDEX, and \
         neither is set; write I/N",
    )?;
    let count = number("VKD_SHARDS")?.or(number("JOB_COMPLETIONS")?);
    let count = count
        .ok_or("JOB_COMPLETION_INDEX is set, but not the number of shards; set VKD_SHARDS to it")?;
    shard(Some(index), count, "JOB_COMPLETION_INDEX")
}

/// The number in a variable; `None` where it says nothing.
fn number(name: &str, value: Option<String>) -> Result<Option<u32>, String> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = |_| format!("{name} is \"{text}\", which is no number; write I/N instead of auto");
    text.parse().map(Some).map_err(wrong)
}

/// The shard at a place, counted from 0, if that is one.
fn shard(place: Option<u32>, count: u32, name: &str) -> Result<Shard, String> {
    let shard = place.and_then(|place| Shard::new(place.checked_add(1)?, count).ok());
    shard.ok_or_else(|| format!("{name} names no shard of {count}; write I/N instead of auto"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_1() {
        let shard = |text| parse(text).map(|shard| shard.to_string());
        assert_eq!([shard("1/4"), shard("4/4")], ["1/4", "4/4"].map(|text| Ok(text.into())));
        for wrong in ["0/4", "5/4", "1/0", "4", "", "/", "1/", "/4", "-1/4", "1/4/4", "a/b", "1 /4"]
        {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_array_of_jobs_says_which_shard_is_whose() {
        let of = |set: &[(&str, &str)]| {
            let value = |name: &str| {
                let found = set.iter().find(|(one, _)| *one == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            of_environment(value).map(|shard| shard.to_string())
        };
        let (id, count) = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT");
        let (first, index) = ("SLURM_ARRAY_TASK_MIN", "JOB_COMPLETION_INDEX");
        let step = ("SLURM_ARRAY_TASK_STEP", "3");
        let shard = |text: &str| Ok(text.to_owned());
        assert_eq!(of(&[(id, "0"), (count, "8")]), shard("1/8"));
        assert_eq!(of(&[(id, "8"), (count, "8"), (first, "1")]), shard("8/8"));
        assert_eq!(of(&[(id, "7"), (count, "4"), (first, "1"), step]), shard("3/4"));
        assert_eq!(of(&[(index, "2"), ("VKD_SHARDS", "3")]), shard("3/3"));
        assert_eq!(of(&[(index, "2"), ("JOB_COMPLETIONS", "4")]), shard("3/4"));
        // Slurm comes first.
        assert_eq!(of(&[(id, "1"), (count, "2"), (index, "0"), ("VKD_SHARDS", "9")]), shard("2/2"));
        for wrong in [
            &[][..],
            &[(index, "2")],
            &[(index, "3"), ("VKD_SHARDS", "3")],
            &[(index, "4294967295"), ("VKD_SHARDS", "3")],
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
