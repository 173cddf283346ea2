//! Why the command does not end as it was to, in a line on standard error.
//!
//! What the library says names the options of C and Lua; here they become those of the command.

use std::io::Write;

use clap::error::ErrorKind;

/// Why the command does not end as it was to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for could not be done.
    Failed(String),
    /// The command line asks for nothing that could be done.
    Usage(String),
    /// A signal came.
    Interrupted,
    /// Nobody reads what is printed any more: that is all right.
    Closed,
    /// Help or the version were asked for.
    Shown(clap::Error),
}

impl Failure {
    /// What clap says of a command line.
    pub(crate) fn of_arguments(error: clap::Error) -> Failure {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Failure::Shown(error),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Failure::Usage("a subcommand is missing, such as vkd order; see --help".into())
            }
            _ => Failure::Usage(one_line(&error.render().to_string())),
        }
    }

    /// An error of the library that the command line alone is the reason of.
    pub(crate) fn usage(error: &vkd::Error) -> Failure {
        Failure::Usage(in_our_words(error))
    }
}

impl From<vkd::Error> for Failure {
    fn from(error: vkd::Error) -> Failure {
        match error {
            vkd::Error::Cancelled => Failure::Interrupted,
            error => Failure::Failed(in_our_words(&error)),
        }
    }
}

/// One line on standard error.
pub(crate) fn tell(message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // There is nowhere to say that standard error is closed.
    let _ = writeln!(std::io::stderr(), "vkd: {line}");
}

/// clap's error without the usage behind it, in one line.
fn one_line(text: &str) -> String {
    let said = text.split("\n\nUsage:").next().unwrap_or(text);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let words: Vec<&str> = said.split_whitespace().collect();
    format!("{}; see --help", words.join(" "))
}

/// What the library says to its callers in C and Lua, and what it means here.
const WORDS: [(&str, &str); 8] = [
    ("VKD_OVERWRITE in C, overwrite = true in Lua", "--overwrite"),
    ("VKD_ZERO_ROWS in C, zero_rows = true in Lua", "--zero-rows"),
    ("ids_path in C, ids in Lua", "--ids FILE"),
    ("overwriting is not asked for", "--overwrite is not given"),
    ("it is embeddings: vkd.load reads it in Lua", "give results that vkd wrote"),
    ("say its element type and dimensions where", "say --raw and --dim where"),
    ("switch centring off", "leave --center out"),
    (
        "free this context and create a new one (a call from Lua without a context makes its own: \
         call again)",
        "run the command again",
    ),
];

/// An error of the library in the words of the command.
pub(crate) fn in_our_words(error: &vkd::Error) -> String {
    let text = error.to_string();
    WORDS.iter().fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn errors_name_the_options_of_the_command() {
        let text = || String::from("x");
        let of = |error| in_our_words(&error);
        let mismatch =
            vkd::Error::FileMismatch { path: text(), what: "rule", found: text(), wanted: text() };
        assert!(of(mismatch).ends_with("replaced (--overwrite)"));
        assert!(of(vkd::Error::ZeroNorm { item: 3 }).ends_with("nothing (--zero-rows)"));
        let centered = of(vkd::Error::ZeroNormCentered { item: 3 });
        assert!(centered.contains("leave --center out") && centered.contains("--zero-rows"));
        assert!(of(vkd::Error::NoIds { path: text() }).contains("a line (--ids FILE)"));
        let lost = of(vkd::Error::DeviceLost { device: text(), call: "vkQueueSubmit" });
        assert!(lost.ends_with("; run the command again"), "{lost}");
        let flaw = vkd::flaw::Flaw::UnknownFormat { begins: text() }.into();
        let unknown = vkd::Error::Embeddings { path: text(), at: vkd::flaw::At::File, flaw };
        assert!(of(unknown).contains("say --raw and --dim where"));
    }

    #[test]
    fn what_clap_says_is_one_line() {
        use clap::Parser;
        let refused = |line: &[&str]| match Failure::of_arguments(
            crate::Vkd::try_parse_from(line).unwrap_err(),
        ) {
            Failure::Usage(text) => text,
            other => panic!("{other:?}"),
        };
        let text = refused(&["vkd", "neighbors", "x"]);
        assert!(text.contains("not provided: -k <K>"), "{text}");
        for line in [&["vkd"][..], &["vkd", "oder"], &["vkd", "order"], &["vkd", "order", "--no"]] {
            let text = refused(line);
            assert!(!text.contains('\n') && text.ends_with("; see --help"), "{text}");
        }
    }
}
