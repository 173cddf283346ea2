//! Opaque handles of the C header.

use std::sync::Arc;

use crate::context::Context;
use crate::embeddings::Embeddings;
use crate::ffi::any_job::AnyJob;
use crate::store::{NeighborsFile, SequencesFile};

/// One device, opened for computing. Any thread may use it; see `vkd_context_create`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_context(pub(in crate::ffi) Context);

/// One running or finished computation. Any thread may use it; see `vkd_batch_start`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_job(pub(in crate::ffi) AnyJob);

/// A file of sequences, open for reading. Any thread may use it; see `vkd_sequences_file_open`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_sequences_file(pub(in crate::ffi) Arc<SequencesFile>);

/// A file of neighbours, open for reading. Any thread may use it; see `vkd_neighbors_file_open`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_neighbors_file(pub(in crate::ffi) Arc<NeighborsFile>);

/// A file of embeddings, open for reading. Any thread may use it; see `vkd_embeddings_open`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_embeddings(pub(in crate::ffi) Embeddings);
