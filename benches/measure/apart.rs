//! Runs of few sequences on the CPU engine, each in a process of its own as a program would make
//! it: a benchmark that makes them hands its arguments over when the first is `--run`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use vkd::context::Destination;
use vkd::engine::RowSource;
use vkd::progress::Phase;
use vkd::{Context, ContextOptions, Request, Rule};

use super::corpus::Mapped;
use super::{median, peak_anonymous};

/// Runs of which the middle counts.
pub const ROUNDS: usize = 3;

pub fn context_options() -> ContextOptions {
    ContextOptions { device: Some("cpu".into()), ..Default::default() }
}

/// Starts that are spread over the corpus.
pub fn request(num_items: u32, count: u32, length: u32) -> Request {
    let starts =
        (0..count).map(|at| (u64::from(at) * u64::from(num_items) / u64::from(count)) as u32);
    Request { starts: Some(starts.collect()), length, ..Request::default() }
}

/// What a run in a process of its own does.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub count: u32,
    pub length: u32,
    pub rule: &'static str,
    pub rows: Option<RowSource>,
}

/// What such a run took.
pub struct Run {
    /// Seconds of the process.
    pub whole: f64,
    pub prepare: f64,
    pub steps: f64,
    /// The most bytes of memory that it had, beside mapped files.
    pub memory: f64,
    /// Bytes that the picks read, of which the prepared rows are the most.
    pub read: f64,
    /// What the plan says: multiply-adds, and bytes of memory.
    pub multiply_adds: f64,
    pub planned: f64,
}

impl Run {
    pub fn print(&self, what: &str) {
        println!(
            "  {what}: {:.2} s, of that {:.2} s to prepare and {:.2} s for the picks; {:.2} GB",
            self.whole,
            self.prepare,
            self.steps,
            self.memory / 1e9
        );
    }
}

/// The middle of some runs in processes of their own.
pub fn runs(path: &Path, wanted: Wanted) -> Run {
    let all: Vec<Run> = (0..ROUNDS).map(|_| run_apart(path, wanted)).collect();
    let middle = |of: fn(&Run) -> f64| median(all.iter().map(of).collect());
    Run {
        whole: middle(|run| run.whole),
        prepare: middle(|run| run.prepare),
        steps: middle(|run| run.steps),
        memory: middle(|run| run.memory),
        read: middle(|run| run.read),
        multiply_adds: all[0].multiply_adds,
        planned: all[0].planned,
    }
}

fn run_apart(path: &Path, Wanted { count, length, rule, rows }: Wanted) -> Run {
    let rows = match rows {
        None => "chosen",
        Some(RowSource::Matrix) => "matrix",
        Some(RowSource::Cache) => "cache",
        Some(RowSource::Direct) => "direct",
        Some(RowSource::Lazy) => "lazy",
    };
    let begin = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--run")
        .arg(path)
        .args([&count.to_string(), &length.to_string(), rule, rows])
        .output()
        .unwrap();
    let whole = begin.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [prepare, steps, memory, read, multiply_adds, planned]: [f64; 6] =
        numbers.try_into().unwrap();
    Run { whole, prepare, steps, memory, read, multiply_adds, planned }
}

/// A run as a program makes it: the file is mapped. Prints seconds of phases and bytes.
pub fn child(arguments: &[String]) {
    let [path, count, length, rule, rows] = &<[String; 5]>::try_from(arguments.to_vec()).unwrap();
    let mapped = Mapped::new(path.as_ref());
    let mut options = context_options();
    options.cpu.rows = match &**rows {
        "matrix" => Some(RowSource::Matrix),
        "cache" => Some(RowSource::Cache),
        "direct" => Some(RowSource::Direct),
        "lazy" => Some(RowSource::Lazy),
        _ => None,
    };
    let context = Context::new(&options).unwrap();
    let all = request(mapped.num_items, count.parse().unwrap(), length.parse().unwrap());
    let request = Request { rule: Rule::new(rule, None).unwrap(), ..all };
    let plan = context.plan(mapped.input().shape(), &request, Destination::Memory).unwrap();
    let job = context.start(&mapped.input(), &request, Destination::Memory).unwrap();
    job.wait(None).unwrap().as_ref().as_ref().unwrap();
    let progress = job.progress();
    let steps = progress.seconds(Phase::Matrix) + progress.seconds(Phase::Steps);
    println!(
        "{} {steps} {} {} {} {}",
        progress.seconds(Phase::Prepare),
        peak_anonymous(),
        progress.bytes_read(),
        plan.engine.multiply_adds,
        plan.host_bytes.get(),
    );
}
