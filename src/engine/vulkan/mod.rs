//! stub
use std::time::Duration;
use crate::error::*; use crate::engine::*;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceKernel { Buffer, Registers }
#[derive(Debug, Clone, Default)]
pub struct Settings { pub kernel: Option<SequenceKernel>, pub memory_limit: Option<u64>, pub submit_target: Option<Duration> }
pub fn devices() -> Result<Vec<DeviceInfo>> { Err(Error::NoLoader{reason:"stub".into()}) }
pub struct VulkanEngine;
impl VulkanEngine { pub fn new(_: &str, _: &Settings) -> Result<Self> { Err(Error::NoLoader{reason:"stub".into()}) } }
impl Engine for VulkanEngine { fn info(&self)->&DeviceInfo{loop{}} fn sequences(&mut self,_:&Corpus,_:&Plan,_:&Progress)->Result<Vec<u32>>{loop{}} }
