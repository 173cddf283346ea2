//! Baselines in Python, with the BLAS kernels that the processor is made for.
//!
//! Machines that are lent out may have variables set that bind OpenBLAS to the kernels of an older
//! processor. Baselines are started without them; `kernel` tells which kernel they run.

use std::process::Command;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// A baseline of benches/baselines, ready for its arguments. `VKD_PYTHON` names another Python.
pub fn baseline(script: &str) -> Command {
    let mut command = python();
    command.arg(format!("{FOLDER}/benches/baselines/{script}"));
    command
}

fn python() -> Command {
    let python = std::env::var("VKD_PYTHON").unwrap_or("/usr/bin/python3".into());
    let mut command = Command::new(python);
    for variable in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"] {
        command.env_remove(variable);
    }
    command.env("PYTHONPATH", format!("{FOLDER}/target/python-bench"));
    command
}

/// What it prints, where it is a number.
pub fn number(command: &mut Command) -> Option<f64> {
    let output = command.output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Which of OpenBLAS's kernels numpy runs; "unknown" where it does not tell.
pub fn kernel() -> String {
    let output = baseline("blas_kernel.py").output().ok();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.filter(|said| !said.is_empty()).unwrap_or("unknown".into())
}
