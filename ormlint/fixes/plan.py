"""Intents become fixes: the entry to the fixers, one per kind of intent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ormlint.judge.finding import (
    AddAttribute,
    AddIndex,
    AddKeyword,
    AggregateInDatabase,
    AnnotateFigure,
    AppendMethod,
    AskBefore,
    AssignQuery,
    AwaitStatement,
    BlockAroundLoop,
    CountRows,
    DropLoad,
    EagerLoad,
    FetchBefore,
    FilterInDatabase,
    Finding,
    Fix,
    Intent,
    KeepAnswer,
    KeepRows,
    ListSelectRelated,
    LoadColumn,
    LoadFirst,
    MoveAfterLoop,
    OrderRows,
    PickFromPrefetched,
    PrefetchChosen,
    ReadColumn,
    ReadKey,
    ReadUnique,
    RefreshRow,
    RemoveDeclaration,
    ReplaceCountTest,
    ReplaceLen,
    ReplaceLoader,
    ReplaceMembershipTest,
    ReplaceTruthTest,
    RunInThread,
    SendSubquery,
    SetOtherSide,
    TakeFirst,
    WalkParts,
    WalkQuery,
    WriteTogether,
)
from ormlint.judge.grading import Grading
from ormlint.judge.project import Project
from ormlint.link.schema import Orm

if TYPE_CHECKING:
    from ormlint.fixes.source import Sources

UNCHANGED = Grading()


def plan_fixes(findings: list[Finding], project: Project, texts: Callable[[str], str], grading: Grading = UNCHANGED) -> None:
    """Sets the fix of every finding whose intent can be carried out, or that can be told why it cannot; clears the others.

    `texts` gives the text of a file, as the analysis read it, by its path in sites; it may raise KeyError or OSError.
    All edits of a fix refer to that text. Findings about one query share one fix, which serves them all. `grading` tells whose
    fixes the user counts as safe or unsafe.
    """
    for finding in findings:
        finding.fix = None
    wanting = [finding for finding in findings if finding.intent is not None]
    if not wanting:
        return
    # libcst takes longer to import than a small project takes to check
    from ormlint.fixes.admin_lists import plan_admin_lists
    from ormlint.fixes.eager_loads import plan_eager_loads
    from ormlint.fixes.source import Sources

    sources = Sources(texts)
    plan_eager_loads(wanting, sources, project, grading)
    plan_admin_lists(wanting, sources)
    for finding in wanting:
        if not isinstance(finding.intent, (EagerLoad, ListSelectRelated)):
            finding.fix = _planned(finding.intent, sources, project)
        if finding.fix is not None:
            finding.fix = replace(grading.graded(finding.code, finding.fix), edits=tuple(sorted(set(finding.fix.edits))))


def _planned(intent: Intent | None, sources: Sources, project: Project) -> Fix | None:
    from ormlint.fixes.spread import plan_spread

    fix = _fix(intent, sources, project)
    if intent is None or (fix is not None and fix.edits):
        return fix
    return plan_spread(intent, sources, lambda moved, spread: _fix(moved, spread, project)) or fix


def _fix(intent: Intent | None, sources: Sources, project: Project) -> Fix | None:
    from ormlint.fixes import (
        aggregates,
        assigned,
        awaiting,
        blocks,
        bulk,
        calls,
        chosen,
        columns,
        copies,
        counts,
        declarations,
        deferred,
        figures,
        first_rows,
        kept_counts,
        kept_numbers,
        kept_rows,
        kept_values,
        keys,
        loaders,
        lookups,
        loops,
        membership,
        ordering,
        other_side,
        parts,
        prefetched,
        refreshed,
        results,
        sieved,
        sqlalchemy_lookups,
        subqueries,
        threads,
        truth,
        unread_loads,
    )

    match intent:
        case ReplaceLen():
            return counts.replace_len(sources, intent)
        case ReplaceCountTest():
            return truth.replace_count_test(sources, intent) or kept_numbers.keep_existence(sources, intent)
        case ReplaceTruthTest():
            return truth.replace_truth_test(sources, intent)
        case ReplaceMembershipTest():
            return membership.replace_membership_test(sources, intent)
        case CountRows():
            return kept_counts.count_rows(sources, intent)
        case LoadColumn():
            return deferred.load_column(sources, intent)
        case PickFromPrefetched():
            return prefetched.pick_from_prefetched(sources, intent)
        case PrefetchChosen():
            return chosen.prefetch_chosen(sources, intent, project.schema)
        case DropLoad():
            return unread_loads.drop_load(sources, intent)
        case KeepAnswer():
            return kept_values.keep_answer(sources, intent)
        case AskBefore():
            return kept_values.ask_before(sources, intent)
        case WalkQuery():
            return copies.walk_query(sources, intent)
        case LoadFirst():
            return kept_rows.load_first(sources, intent)
        case AggregateInDatabase():
            return aggregates.aggregate_in_database(sources, intent, project.schema)
        case AnnotateFigure():
            return figures.annotate_figure(sources, intent, project.schema)
        case ReadKey():
            return keys.read_key(sources, intent)
        case SendSubquery():
            return subqueries.send_subquery(sources, intent, project.schema)
        case ReadColumn():
            return columns.read_column(sources, intent, project.schema)
        case ReadUnique():
            return results.read_unique(sources, intent)
        case KeepRows():
            return results.keep_rows(sources, intent)
        case MoveAfterLoop():
            return loops.move_after_loop(sources, intent)
        case FetchBefore():
            written = lookups.of_django if intent.model.orm is Orm.DJANGO else sqlalchemy_lookups.of_sqlalchemy
            return lookups.fetch_before(sources, intent, project.schema, written)
        case BlockAroundLoop():
            return blocks.block_around_loop(sources, intent)
        case FilterInDatabase():
            return sieved.filter_in_database(sources, intent, project.schema)
        case RefreshRow():
            return refreshed.refresh_row(sources, intent)
        case WalkParts():
            return parts.walk_parts(sources, intent)
        case SetOtherSide():
            return other_side.set_other_side(sources, intent, project.schema)
        case WriteTogether():
            return bulk.write_together(sources, intent, project)
        case AddAttribute():
            return declarations.add_attribute(sources, intent)
        case AwaitStatement():
            return awaiting.await_statement(sources, intent, project.lines)
        case RunInThread():
            return threads.run_in_thread(sources, intent, project.lines)
        case AddIndex():
            return declarations.add_index(sources, intent)
        case RemoveDeclaration():
            return declarations.remove_declaration(sources, intent)
        case OrderRows():
            return ordering.order_rows(sources, intent)
        case AddKeyword():
            return calls.add_keyword(sources, intent)
        case TakeFirst():
            return first_rows.take_first(sources, intent)
        case AssignQuery():
            return assigned.assign_query(sources, intent)
        case AppendMethod():
            return calls.append_method(sources, intent)
        case ReplaceLoader():
            return loaders.replace_loader(sources, intent)
        case _:
            return None
