//! Names that people choose, each its own type: a person is not a group, a logical target is not a
//! real one.

use crate::text::{is_slug, text_type};

text_type!(
    /// A script's name, unique in a trust domain.
    ScriptName, "script name", "1 to 64 characters of a-z 0-9 -, first a letter or digit",
    |s| is_slug(s, b"-", 64)
);
text_type!(
    /// A script's version, chosen by its author: three numbers with dots.
    ScriptVersion, "script version", "three numbers with dots, as 1.2.0",
    |s| {
        let parts: Vec<&str> = s.split('.').collect();
        parts.len() == 3
            && parts.iter().all(|p| {
                (1..=6).contains(&p.len())
                    && p.bytes().all(|b| b.is_ascii_digit())
                    && (*p == "0" || !p.starts_with('0'))
            })
    }
);
text_type!(
    /// A query's label inside a manifest.
    QueryName, "query name", "1 to 64 characters of a-z 0-9 - _, first a letter or digit",
    |s| is_slug(s, b"-_", 64)
);
text_type!(
    /// A query parameter's name.
    ParamName, "parameter name", "1 to 64 characters of a-z 0-9 _, first a letter or digit",
    |s| is_slug(s, b"_", 64)
);
text_type!(
    /// The name that a script uses for a target; an access request binds it to a real one.
    LogicalTarget, "logical target name", "1 to 64 characters of a-z 0-9 -, first a letter or digit",
    |s| is_slug(s, b"-", 64)
);
text_type!(
    /// A real target, as the policy names it.
    TargetId, "target id", "1 to 64 characters of a-z 0-9 - . :, first a letter or digit",
    |s| is_slug(s, b"-.:", 64)
);
text_type!(
    /// Targets that are asked the same, as the shards of a database are.
    TargetGroup, "target group", "1 to 64 characters of a-z 0-9 - ., first a letter or digit",
    |s| is_slug(s, b"-.", 64)
);
text_type!(
    /// A person, service principal or agent, as the directory names it.
    PersonId, "person", "1 to 64 characters of a-z 0-9 - . _ @ +, first a letter or digit",
    |s| is_slug(s, b"-._@+", 64)
);
text_type!(
    /// A group of people in the directory.
    GroupName, "group", "1 to 64 characters of a-z 0-9 - ., first a letter or digit",
    |s| is_slug(s, b"-.", 64)
);
text_type!(
    /// A runner, as the policy names it.
    RunnerName, "runner name", "1 to 64 characters of a-z 0-9 - ., first a letter or digit",
    |s| is_slug(s, b"-.", 64)
);
text_type!(
    /// The audience of every signature: `name` or `name/environment`, at most 64 bytes.
    TrustDomain, "trust domain",
    "at most 64 characters, [a-z0-9][a-z0-9.-]* and optionally one / and the same again",
    |s| {
        s.len() <= 64
            && match s.split_once('/') {
                None => is_slug(s, b".-", 64),
                Some((a, b)) => is_slug(a, b".-", 64) && is_slug(b, b".-", 64),
            }
    }
);
text_type!(
    /// A reference to an incident or change, as `INC-1234`.
    Ticket, "ticket", "1 to 64 characters of A-Z a-z 0-9 - _ # . /",
    |s| (1..=64).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_#./".contains(&b))
);
text_type!(
    /// Free text that a person wrote: a reason or a comment; at most 2,000 bytes, no NUL.
    FreeText, "text", "at most 2000 bytes without NUL",
    |s| s.len() <= 2000 && !s.contains('\0')
);
