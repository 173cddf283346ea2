//! Ends the build where there is no shader compiler, before anything else of it begins.

#[path = "src/lib.rs"]
#[allow(dead_code)]
mod find;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src");
    for variable in find::VARIABLES {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    if std::env::var_os("CARGO_FEATURE_FROM_SOURCE").is_none() {
        match find::library() {
            Ok(library) => println!("cargo:rerun-if-changed={}", library.file.display()),
            Err(why) => find::stop(&why),
        }
        return;
    }
    let missing = find::missing_tools();
    if missing.is_empty() {
        println!(
            "cargo:warning=shaderc is built from source, as `shaderc-from-source` asks: some 15 \
             minutes on two cores"
        );
    } else {
        find::stop(&format!("building shaderc from source needs {}", missing.join(", ")));
    }
}
