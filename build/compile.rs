//! The code of a kernel, compiled with shaderc.

use std::fs;

use super::Unit;
// It brings libraries of the system's shaderc.
use vkd_shaderc_link as _;

pub(super) struct Compiler(shaderc::Compiler);

impl Compiler {
    pub(super) fn new(_hash: &str) -> Result<Self, String> {
        shaderc::Compiler::new().map(Self).map_err(|error| format!("shaderc: {error}"))
    }

    pub(super) fn spirv(&self, unit: &Unit) -> Result<Vec<u8>, String> {
        let path = format!("shaders/{}.comp", unit.file);
        let source = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let mut options = shaderc::CompileOptions::new().map_err(|error| error.to_string())?;
        options.set_target_env(shaderc::TargetEnv::Vulkan, shaderc::EnvVersion::Vulkan1_1 as u32);
        options.set_optimization_level(shaderc::OptimizationLevel::Performance);
        options.set_warnings_as_errors();
        options.set_include_callback(|include, _, _, _| {
            let path = format!("shaders/{include}");
            let content = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
            Ok(shaderc::ResolvedInclude { resolved_name: path, content })
        });
        for (key, value) in &unit.definitions {
            options.add_macro_definition(key, Some(value));
        }
        let kind = shaderc::ShaderKind::Compute;
        self.0
            .compile_into_spirv(&source, kind, &path, "main", Some(&options))
            .map(|artifact| artifact.as_binary_u8().to_vec())
            .map_err(|error| error.to_string())
    }
}
