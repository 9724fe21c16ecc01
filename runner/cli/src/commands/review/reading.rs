//! What a reviewer reads before a verdict, in the order in which it is read: what changed, what it is, who
//! said what, the difference, every query.

use api::types::DocumentView;
use domain::capability::Capabilities;
use domain::{Digest, Pair};
use serde_json::{Value, json};
use trust::{Authority, PolicyTarget};

use crate::against::{Against, Banned};
use crate::blast::{self, Blast, Script, words};
use crate::commands::Call;
use crate::dossier::Approved;
use crate::out::{Out, Style, foreign, hang, width};
use crate::stock;
use crate::view::change::{self, Moves, Side};
use crate::view::diff::{self, Diff};
use crate::view::{count, revision, said};
use crate::when;

/// A revision with everything that is known of it here.
pub(super) struct Subject<'s> {
    /// What is reviewed.
    pub(super) new: &'s Side<'s>,
    /// What was approved last, taken apart.
    pub(super) old: Option<(&'s Approved, &'s Side<'s>)>,
    /// Who may say what.
    pub(super) authority: &'s Authority,
    /// What is said against runs.
    pub(super) against: &'s Against,
    /// Submissions and reviews of it.
    pub(super) said: &'s [DocumentView],
    /// Where it is reviewed.
    pub(super) pairs: &'s [Pair],
    /// What its reviewer would let it do.
    pub(super) ceiling: &'s Capabilities,
}

impl Subject<'_> {
    /// The whole reading; `full`: every file instead of the differences.
    pub(super) fn lines(&self, call: &Call<'_>, full: bool) -> Vec<String> {
        let out = call.out;
        let files = self.files(out);
        let mut lines = hang("", &self.opening(&files, call), width());
        lines.push(String::new());
        lines.extend(revision::head(self.new.bundle, &self.new.component, out));
        lines.extend(self.places(out));
        lines.extend(self.narrowed_by_policy());
        lines.push(String::new());
        let (revision, zone) = (self.new.bundle.revision, &call.env.zone);
        lines.extend(said::lines(self.authority, self.against, self.said, &revision, zone, out));
        lines.extend(self.stops(&revision, out));
        lines.extend(self.doubts(out));
        lines.push(String::new());
        if self.old.is_some() && !full {
            lines.push(format!("{}; --full shows every file whole", change::totals(&files)));
            lines.extend(files.into_iter().flat_map(|(_, d)| spaced(d.lines)));
        } else {
            lines.extend(self.whole(out));
        }
        let blast = self.blast();
        let told = words::of_queries(&blast, out);
        lines.extend(revision::queries(Script::of(self.new.bundle), &told, out));
        lines.push(String::new());
        lines.extend(words::totals(&blast, out));
        lines.push(String::new());
        lines.extend(revision::files(self.new.bundle, out));
        lines
    }

    /// What its queries can touch and return there.
    fn blast(&self) -> Blast {
        blast::of(Script::of(self.new.bundle), self.authority.policy(), self.ceiling)
    }

    /// What a program is told.
    pub(super) fn json(&self, call: &Call<'_>) -> Value {
        let plain = call.out.without_colour();
        let files = self.files(plain);
        let manifest = &self.new.bundle.manifest;
        let moves = self.moves();
        let since = self.old.map(|(approved, _)| {
            json!({
                "revision": approved.bundle.revision, "version": approved.bundle.manifest.version,
                "by": approved.by, "at": approved.at.to_string(),
            })
        });
        let changed = |(path, d): &(String, Diff)| json!({ "path": path, "added": d.added, "removed": d.removed });
        let opening = Call { who: call.who, env: call.env, out: plain };
        json!({
            "revision": self.new.bundle.revision, "script": manifest.name,
            "version": manifest.version, "summary": manifest.summary,
            "targets": self.pairs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "since": since, "changed": self.opening(&files, &opening),
            "wider": moves.wider, "narrower": moves.narrower,
            "files": files.iter().map(changed).collect::<Vec<_>>(),
            "ceiling": self.ceiling.scope(), "blast": self.blast(),
        })
    }

    /// The one line on what changed.
    fn opening(&self, files: &[(String, Diff)], call: &Call<'_>) -> String {
        let out = call.out;
        let manifest = &self.new.bundle.manifest;
        let name = out.style(Style::Bold, &format!("{} {}", manifest.name, manifest.version));
        let Some((approved, old)) = self.old else {
            let fewer =
                if self.pairs.len() > 1 { "; it may be otherwise for one --target" } else { "" };
            return format!(
                "{name}: first revision; no other one has a review that counts for these targets \
                 now{fewer}"
            );
        };
        let by: Vec<&str> = approved.by.iter().map(AsRef::as_ref).collect();
        format!(
            "{name} since {} ({}, approved by {}, {}): {}",
            approved.bundle.manifest.version,
            approved.bundle.revision.short(),
            by.join(" and "),
            when::show(approved.at, &call.env.zone),
            change::in_one_line(old, self.new, &self.moves(), files, out)
        )
    }

    /// What it may do more and less than what was approved: by its ceiling, and by the texts of its queries.
    fn moves(&self) -> Moves {
        let Some((old, side)) = self.old else { return Moves::default() };
        let mut moves = Moves::between(&old.ceiling, self.ceiling);
        let before = blast::of(Script::of(side.bundle), self.authority.policy(), &old.ceiling);
        moves.of_reach(&before.totals, &self.blast().totals);
        moves
    }

    fn files(&self, out: Out) -> Vec<(String, Diff)> {
        self.old.map_or_else(Vec::new, |(_, old)| change::files(old, self.new, out))
    }

    /// Where, and how many people have to read it there.
    fn places(&self, out: Out) -> Vec<String> {
        let place = |pair: &Pair| {
            let target: Option<&PolicyTarget> = self.authority.target(&pair.target);
            let rules = target.map_or_else(String::new, |t| {
                let groups: Vec<&str> = t.reviews.groups.iter().map(AsRef::as_ref).collect();
                let prod =
                    if t.prod { out.style(Style::Warn, "production, ") } else { String::new() };
                let people = count(u64::from(t.reviews.required), "review");
                format!(" ({prod}{people} by {})", groups.join(", "))
            });
            hang("on     ", &format!("{pair}{rules}"), width())
        };
        self.pairs.iter().flat_map(place).collect()
    }

    fn narrowed_by_policy(&self) -> Vec<String> {
        let asked = self.new.bundle.manifest.asks(self.pairs);
        let Moves { narrower, .. } = Moves::between(&asked, self.ceiling);
        if narrower.is_empty() {
            return Vec::new();
        }
        hang("less   ", &format!("than it asks for: {}", narrower.join("; ")), width())
    }

    /// What is stopped of it. Rejections are among what was said.
    fn stops(&self, revision: &Digest, out: Out) -> Vec<String> {
        use domain::decide::StopSubject as S;
        let bans = self.against.bans().into_iter().filter_map(|ban| match &ban.what {
            Banned::Subject(subject @ S::Everything) => Some((ban, subject)),
            Banned::Subject(subject @ S::Revision(r)) if r == revision => Some((ban, subject)),
            Banned::Subject(_) | Banned::Revision(..) => None,
        });
        let line = |(ban, subject): (&crate::against::Ban, &S)| {
            let stopped = out.style(Style::Bad, &format!("{subject} is stopped"));
            let line = format!("{stopped} by {}: {}", ban.by, foreign(ban.reason.as_str()));
            hang("  ✗ ", &line, width())
        };
        bans.flat_map(line).collect()
    }

    /// What keeps a reviewer from knowing what the component does.
    fn doubts(&self, out: Out) -> Vec<String> {
        let doubt = match &self.new.source {
            Some(Ok(_)) => return Vec::new(),
            Some(Err(error)) => format!("{error}; ask the author for another archive"),
            None if stock::version_of(&self.new.bundle.component_digest()).is_some() => {
                return Vec::new();
            }
            None => "there is no source.tar: what the component does cannot be read here; ask the \
                     author to submit it with its source"
                .to_owned(),
        };
        hang("", &out.style(Style::Warn, &foreign(&doubt)), width())
    }

    /// Every file but the queries, which follow with what is known of them.
    fn whole(&self, out: Out) -> Vec<String> {
        let texts = self.new.texts();
        let texts = texts.iter().filter(|(path, _)| !path.starts_with("queries/"));
        texts.flat_map(|(path, bytes)| spaced(diff::whole(path, bytes, out))).collect()
    }
}

fn spaced(mut lines: Vec<String>) -> Vec<String> {
    lines.push(String::new());
    lines
}
