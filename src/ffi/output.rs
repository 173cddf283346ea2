//! What the safe code returns, as what C gets.

use libc::c_char;

use super::types::*;
use crate::context::RunPlan;
use crate::engine::{DeviceInfo, DeviceKind};
use crate::error::{Error, Result};
use crate::job::{Job, Output};
use crate::progress::Phase;

/// # Safety
/// `out` must have room for the whole result.
pub(super) unsafe fn write_result(
    result: Option<&Result<Output>>,
    capacity: u64,
    out: *mut u32,
) -> Result<i32> {
    match result {
        None => Err(Error::NotFinished),
        Some(Err(error)) => Err(error.clone()),
        Some(Ok(Output::File(path))) => {
            Err(Error::ResultInFile { path: path.display().to_string() })
        }
        Some(Ok(Output::Neighbors(_))) => Err(Error::WrongJobKind { wanted: "vkd_job_neighbors" }),
        Some(Ok(Output::Site | Output::Similarities(_))) => {
            Err(Error::WrongJobKind { wanted: "vkd_job_wait alone: it wrote files" })
        }
        Some(Ok(Output::Memory(sequences))) if sequences.len() as u64 > capacity => {
            let (name, needed) = ("out_sequences", sequences.len() as u64);
            Err(Error::OutputTooSmall { name, capacity, needed })
        }
        Some(Ok(Output::Memory(sequences))) => {
            // SAFETY: the caller's contract; a fresh Vec cannot overlap the caller's memory.
            unsafe { std::ptr::copy_nonoverlapping(sequences.as_ptr(), out, sequences.len()) };
            Ok(0)
        }
    }
}

pub(super) fn info_to_c(info: &DeviceInfo) -> vkd_device_info {
    let mut name = [0; 256];
    let mut driver = [0; 512];
    copy_text(&info.name, &mut name);
    copy_text(&info.driver, &mut driver);
    let kind = match info.kind {
        DeviceKind::DiscreteGpu => vkd_device_kind::VKD_DEVICE_DISCRETE_GPU,
        DeviceKind::IntegratedGpu => vkd_device_kind::VKD_DEVICE_INTEGRATED_GPU,
        DeviceKind::VirtualGpu => vkd_device_kind::VKD_DEVICE_VIRTUAL_GPU,
        DeviceKind::Cpu => vkd_device_kind::VKD_DEVICE_CPU,
        DeviceKind::SoftwareVulkan => vkd_device_kind::VKD_DEVICE_SOFTWARE_VULKAN,
        DeviceKind::OtherVulkan => vkd_device_kind::VKD_DEVICE_OTHER_VULKAN,
        DeviceKind::Reference => vkd_device_kind::VKD_DEVICE_REFERENCE,
        DeviceKind::Several => vkd_device_kind::VKD_DEVICE_SEVERAL,
    };
    vkd_device_info {
        struct_size: size_of::<vkd_device_info>() as u32,
        kind: kind as u32,
        name,
        driver,
        uuid: info.uuid,
        memory_bytes: info.memory_bytes,
        max_binding_bytes: info.max_binding_bytes,
        subgroup_size: info.subgroup_size,
        loop_budget: info.loop_budget,
    }
}

/// Copies as much of `text` as fits before a final NUL.
pub(super) fn copy_text(text: &str, to: &mut [c_char]) {
    let room = to.len() - 1;
    for (to, byte) in to[..room].iter_mut().zip(text.bytes()) {
        *to = byte as c_char;
    }
}

pub(super) fn progress_to_c(job: &Job) -> vkd_job_progress {
    let progress = job.progress();
    let (done, total) = (progress.steps_done(), progress.steps_total());
    let result = job.result();
    let state = match result.as_deref() {
        None => vkd_job_state::VKD_JOB_RUNNING,
        Some(Ok(_)) => vkd_job_state::VKD_JOB_DONE,
        Some(Err(_)) => vkd_job_state::VKD_JOB_FAILED,
    };
    let spent = progress.seconds(Phase::Steps);
    let (files, files_total) = (progress.files_done(), progress.files_total());
    let seconds_left = match &result {
        Some(_) => 0.0,
        None if files_total > 0 && files == 0 => -1.0,
        None if files_total > 0 => {
            job.seconds() / files as f64 * files_total.saturating_sub(files) as f64
        }
        None if done == 0 || spent == 0.0 => -1.0,
        None => spent / done as f64 * total.saturating_sub(done) as f64,
    };
    vkd_job_progress {
        struct_size: size_of::<vkd_job_progress>() as u32,
        state: state as u32,
        rows_done: progress.rows_done(),
        steps_done: done,
        steps_total: total,
        bytes_read: progress.bytes_read(),
        seconds: job.seconds(),
        seconds_left,
        prepare_seconds: progress.seconds(Phase::Prepare),
        upload_seconds: progress.seconds(Phase::Upload),
        matrix_seconds: progress.seconds(Phase::Matrix),
        steps_seconds: progress.seconds(Phase::Steps),
        download_seconds: progress.seconds(Phase::Download),
        files_done: files,
        files_total,
        bytes_written: progress.bytes_written(),
    }
}

pub(super) fn plan_to_c(plan: &RunPlan) -> vkd_run_plan {
    vkd_run_plan {
        struct_size: size_of::<vkd_run_plan>() as u32,
        reserved: 0,
        host_bytes: plan.host_bytes,
        device_bytes: plan.engine.device_bytes,
        output_bytes: plan.output_bytes,
        corpus_bytes: plan.corpus_bytes,
        batches: plan.engine.batches,
        dispatches: plan.engine.dispatches,
        rows: plan.rows,
        steps: plan.steps,
        held_rows: plan.engine.held_rows,
    }
}

/// # Safety
/// `out` must have room for the whole result.
pub(super) unsafe fn write_similarities(
    result: Option<&Result<Output>>,
    out: *mut f32,
) -> Result<i32> {
    match result {
        None => Err(Error::NotFinished),
        Some(Err(error)) => Err(error.clone()),
        Some(Ok(Output::Similarities(values))) => {
            // SAFETY: the caller's contract; a fresh Vec cannot overlap the caller's memory.
            unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, values.len()) };
            Ok(0)
        }
        Some(Ok(_)) => Err(Error::Internal { detail: "a job with another result".into() }),
    }
}

/// # Safety
/// `out_indices` and `out_similarity` must have room for the whole result.
pub(super) unsafe fn write_neighbors(
    result: Option<&Result<Output>>,
    capacity: u64,
    out_indices: *mut u32,
    out_similarity: *mut f32,
) -> Result<i32> {
    let neighbors = match result {
        None => return Err(Error::NotFinished),
        Some(Err(error)) => return Err(error.clone()),
        Some(Ok(Output::Neighbors(neighbors))) => neighbors,
        Some(Ok(Output::File(path))) => {
            return Err(Error::ResultInFile { path: path.display().to_string() })
        }
        Some(Ok(_)) => return Err(Error::WrongJobKind { wanted: "vkd_job_sequences" }),
    };
    let needed = neighbors.indices.len() as u64;
    if needed > capacity {
        return Err(Error::OutputTooSmall { name: "out_indices", capacity, needed });
    }
    // SAFETY: the caller's contract; a fresh Vec cannot overlap the caller's memory.
    unsafe {
        std::ptr::copy_nonoverlapping(
            neighbors.indices.as_ptr(),
            out_indices,
            neighbors.indices.len(),
        );
    }
    if !out_similarity.is_null() {
        for (place, similarity) in neighbors.similarities().enumerate() {
            // SAFETY: as above.
            unsafe { out_similarity.add(place).write(similarity) };
        }
    }
    Ok(0)
}
