# SPDX-License-Identifier: Apache-2.0
"""Sentences about targets: what failed, what is not finished, what to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.bulk import State
from vbsclient.change.run import SameRefusal
from vbsclient.change.targets import NotSent, Outcome, Target
from vbsclient.osc.output.text import capital, sentence, shortened

#: From so many on, targets share one message.
MANY = 3


@dataclass(frozen=True)
class Terms:
    """How sentences name what is changed, and the change.

    :ivar one: one target, such as ``backup``.
    :ivar verb: what is done to it.
    :ivar doing: what happens to it meanwhile.
    :ivar done: what it is afterwards.
    :ivar noun: the change itself.
    :ivar plural: several targets; by default the one with an s.
    :ivar act: what a dry run says would be done; by default the verb.
    """

    one: str = 'backup'
    verb: str = 'delete'
    doing: str = 'deleting'
    done: str = 'deleted'
    noun: str = 'deletion'
    plural: str = ''
    act: str = ''

    #: What to do about what was sent and not answered.
    unanswered: ClassVar[str] = 'check the status before retrying'

    #: Whether it may be sent twice without harm: what is unknown counts as
    #: failed then, and all may be named again.
    is_repeatable: ClassVar[bool] = True

    #: What to do about what has failed beside what has not.
    retry: ClassVar[str] = 'To try again, name only what has failed.'

    @property
    def several(self) -> str:
        """Several targets."""
        return self.plural or f'{self.one}s'

    @property
    def would(self) -> str:
        """What a dry run says of a target."""
        return f'would {self.act or self.verb}'

    def identity(self, target: Target) -> tuple[str | None, str | None]:
        """(ID, name) that the row of a target has."""
        return target.id or target.argument, target.name

    def called(self, target: Target) -> str:
        """How a list of unfinished targets names one."""
        return label(target)

    def command_for(self, outcome: Outcome) -> str | None:
        """What shows the rest of one change; None if that is the same."""
        return None

    def how_to_settle(self, count: int) -> str:
        """What to do about what was sent and not answered.

        :param count: of so many, whose :meth:`commands_for` follow.
        """
        return 'Check its status before retrying.'

    def how_to(self, end: str) -> str:
        """What to do about what is not finished.

        :param end: what that is for, such as ``keep waiting``.
        """
        return f'run the same command again with --wait to {end}.'

    def where_it_is(self, outcomes: Sequence[Outcome]) -> str:
        """What goes on with what is not finished."""
        return f'{self.noun.capitalize()} continues in the service'

    def commands_for(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        """The commands that :meth:`how_to` speaks of; none if it has it."""
        return [c for c in map(self.command_for, outcomes) if c]


@dataclass(frozen=True)
class CreationTerms(Terms):
    """The same for what creates backups, which is never repeated.

    :ivar service: whose commands show what becomes of it.
    :ivar parent: what is backed up, as an option of its list.
    """

    verb: str = 'create'
    doing: str = 'creating'
    done: str = 'created'
    noun: str = 'creation'
    service: str = 'vbs'
    parent: str = 'volume'

    unanswered = 'see what was created'
    is_repeatable = False

    def identity(self, target: Target) -> tuple[str | None, str | None]:
        return target.handle.backup_id, target.new_name

    def called(self, target: Target) -> str:
        return f'{target.new_name} of {label(target)}'

    def command_for(self, outcome: Outcome) -> str | None:
        """What shows, and waits for, one backup that may be created."""
        target, handle = outcome.target, outcome.target.handle
        if outcome.state not in (State.ACCEPTED, State.UNKNOWN):
            return None
        group = f'openstack {self.service}'
        if handle.job_id:
            return f'{group} job show --wait {handle.job_id}'
        if handle.checkpoint_id:
            return f'{group} checkpoint show --wait {handle.checkpoint_id}'
        if handle.backup_id:
            return f'{group} backup show --wait {handle.backup_id}'
        return (
            f'{group} backup list --{self.parent} {target.id} '
            f'--name={target.new_name}'
        )

    def how_to_settle(self, count: int) -> str:
        those = 'it' if count == 1 else 'them'
        return (
            f'Do not run the command again before you have looked for {those}:'
        )

    def how_to(self, end: str) -> str:
        return (
            f'do not run this command again, which would create more. To '
            f'{end}:'
        )


@dataclass(frozen=True)
class PolicyRunTerms(CreationTerms):
    """The same for what a policy creates when it is executed.

    :ivar look: the command that shows what has come of it.
    """

    look: str = ''

    def called(self, target: Target) -> str:
        return label(target)

    def command_for(self, outcome: Outcome) -> str | None:
        if outcome.target.handle != Handle():
            return super().command_for(outcome)
        is_open = outcome.state in (State.ACCEPTED, State.UNKNOWN)
        return self.look if is_open else None

    def commands_for(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        # One may show what has come of several.
        return list(dict.fromkeys(super().commands_for(outcomes)))


@dataclass(frozen=True)
class TaskTerms(PolicyRunTerms):
    """The same for what the tasks of a policy create.

    No option names a volume of a policy that is executed.
    """

    retry = (
        'To try again, run "openstack vbs backup create" for the volumes '
        'that have failed.'
    )

    def how_to(self, end: str) -> str:
        # No command waits for the tasks of a policy.
        return super().how_to('see how far that is')


@dataclass(frozen=True)
class MemberTerms(Terms):
    """The same for what joins a policy, or leaves it.

    :ivar look: the command that shows the policy.
    """

    one: str = 'volume'
    verb: str = 'add'
    doing: str = 'adding'
    done: str = 'added'
    noun: str = 'addition'
    look: str = ''

    unanswered = 'look at the policy'

    def command_for(self, outcome: Outcome) -> str | None:
        return '; '.join(self.commands_for([outcome])) or None

    def commands_for(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        show = self.look.rpartition(' ')[0]
        return [
            command
            for outcome in outcomes
            if outcome.state is State.UNKNOWN and self.look
            for command in (
                self.look,
                *(f'{show} {id}' for id in outcome.target.left),
            )
        ]

    def how_to_settle(self, count: int) -> str:
        return 'Look at the policy before you retry:'


@dataclass(frozen=True)
class RestoreTerms(Terms):
    """The same for what overwrites data, which is never repeated.

    :ivar service: whose backups these are.
    :ivar command: what shows how far it is, where no job does.
    :ivar waiting: the same once it was seen to begin.
    :ivar look: what shows the target, which decides.
    """

    one: str = 'volume'
    verb: str = 'restore'
    doing: str = 'restoring'
    done: str = 'restored'
    noun: str = 'restore'
    service: str = 'vbs'
    command: str = 'openstack volume show {target}'
    waiting: str = command
    look: str = command

    unanswered = 'see what was restored'
    is_repeatable = False

    def identity(self, target: Target) -> tuple[str | None, str | None]:
        plan = target.resource
        return getattr(plan, 'backup_id', None), getattr(
            plan, 'backup_name', None
        )

    def command_for(self, outcome: Outcome) -> str | None:
        if outcome.state not in (State.ACCEPTED, State.UNKNOWN):
            return None
        if job_id := outcome.target.handle.job_id:
            return f'openstack vbs job show --wait {job_id}'
        return _filled(
            self.waiting if outcome.has_begun else self.command, outcome.target
        )

    def where_it_is(self, outcomes: Sequence[Outcome]) -> str:
        if any(outcome.has_begun for outcome in outcomes):
            return super().where_it_is(outcomes)
        return f'It was not seen to begin: look at the {self.one}'

    def how_to_settle(self, count: int) -> str:
        return 'Do not run the command again before you have looked at it:'

    def how_to(self, end: str) -> str:
        return (
            'do not run this command again, which would overwrite the data '
            'again. To see what becomes of it:'
        )

    def commands_for(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        """A job may be done, and its target not: both are looked at."""
        found: list[str] = []
        for outcome in outcomes:
            if command := self.command_for(outcome):
                found += [command, _filled(self.look, outcome.target)]
        return list(dict.fromkeys(found))


def _filled(command: str, target: Target) -> str:
    """A command that shows a target, or the backup that it gets."""
    backup_id = getattr(target.resource, 'backup_id', None)
    return command.format(target=target.id, backup=backup_id)


@dataclass(frozen=True)
class ShareTerms(Terms):
    """The same for what shares backups."""

    one: str = 'share of backup'
    verb: str = 'create'
    doing: str = 'sharing'
    done: str = 'shared'
    noun: str = 'sharing'
    plural: str = 'shares'
    act: str = 'share'

    unanswered = 'see what was shared'
    is_repeatable = False

    def identity(self, target: Target) -> tuple[str | None, str | None]:
        return target.handle.share_id, None

    def command_for(self, outcome: Outcome) -> str | None:
        if outcome.state is not State.UNKNOWN:
            return None
        return f'openstack vbs share list --backup {outcome.target.id}'

    def how_to_settle(self, count: int) -> str:
        return 'See what was shared:'


def label(target: Target, most: int = 500) -> str:
    """How a message names a target.

    :param most: how many characters of its name.
    """
    if target.id is None:
        return shortened(target.argument, 80)
    named = shortened(target.id)
    if target.name and target.name != target.id:
        named = f'{shortened(target.name, most)} ({named})'
    return with_aspect(target, named)


def with_aspect(target: Target, named: str) -> str:
    """How a target is named, with what tells it from others of its id."""
    return f'{named} {shortened(target.aspect)}' if target.aspect else named


def reason(outcome: bulk.Outcome[Target, Any], **options: bool) -> str:
    """Why a target failed, and what had been done for it by then."""
    error = outcome.error or errors.Cancelled('not sent')
    return sentence(error, before=outcome.target.preceded, **options)


def failures(
    outcomes: Sequence[Outcome], words: Terms, *, dry_run: bool = False
) -> Iterator[str]:
    """Why targets failed, in their order; what many share is said once."""
    failed = 'Would not' if dry_run else 'Failed to'

    def key(outcome: Outcome) -> object:
        return outcome.state, _is_not_found(outcome), _shared(outcome)

    for same in _together(outcomes, key):
        if len(same) >= MANY:
            what = f'{len(same)} {words.several} are'
            told = _shared(same[0])
            said = _failed(same, what, words, told, failed)
            lines = _to_settle(same, words)
            yield _with_lines(said, lines or map(_told, same))
            continue
        for outcome in same:
            told = reason(outcome)
            if _is_not_found(outcome) and outcome.state is not State.FAILED:
                yield capital(told)
            else:
                what = f'{words.one} {label(outcome.target)} is'
                said = _failed([outcome], what, words, told, failed)
                yield _with_lines(said, _to_settle([outcome], words))


def _is_not_found(outcome: Outcome) -> bool:
    """Whether it has no ID, and is not to get one either."""
    target = outcome.target
    return target.id is None and target.new_name is None


def _to_settle(same: Sequence[Outcome], words: Terms) -> Sequence[str]:
    """The commands that show what came of what was not answered."""
    if same[0].state is not State.UNKNOWN:
        return ()
    return list(dict.fromkeys(words.commands_for(same)))


def skipped(outcomes: Sequence[Outcome], words: Terms) -> Iterator[str]:
    """Why targets were skipped."""
    return _told_of(outcomes, words, reason)


def notes(outcomes: Sequence[Outcome], words: Terms) -> Iterator[str]:
    """What a person should know of targets that did not fail."""
    noted = [o for o in outcomes if o.result is not None and o.result.detail]
    return _told_of(
        noted,
        words,
        lambda o: f'{shortened(o.result.detail)}.',  # type: ignore[union-attr]
    )


def stop(reason_: errors.ClientError) -> str:
    """Why a run was stopped, with the targets that show it."""
    if not isinstance(reason_, SameRefusal):
        return capital(sentence(reason_))
    same = reason_.outcomes
    message = (
        f'The same failure came for each of {len(same)} targets in a row, '
        f'and the rest were not sent: {_shared(same[0])}'
    )
    return _with_targets(message, [o for o in same if is_told_by(o, reason_)])


def is_told_by(
    outcome: bulk.Outcome[Target, Any], reason_: errors.ClientError | None
) -> bool:
    """Whether :func:`stop` says what became of a target.

    What may have been carried out needs words of its own.
    """
    return (
        isinstance(reason_, SameRefusal)
        and outcome in reason_.outcomes
        and outcome.state is State.FAILED
    )


def delays(
    unfinished: Sequence[Outcome], total: int, words: Terms
) -> Iterator[str]:
    """What is not finished, as far as anybody knows."""
    for same in _together(unfinished, lambda o: o.unread):
        verb = 'is' if len(same) == 1 else 'are'
        is_long = len(same) >= MANY
        labels = ', '.join(words.called(outcome.target) for outcome in same)
        names = '' if is_long else f': {labels}'
        count = f'{len(same)} of {total} {words.several} {verb}'
        lines = words.commands_for(same)
        if same[0].unread:
            message = (
                f'Whether {count} {words.done} by now is unknown{names}. '
                f'Their status could not be read '
                f'({shortened(same[0].unread)}). '
                f'{capital(words.how_to("see it"))}'
            )
        else:
            # Not everything has a command that waits.
            end = (
                'keep waiting'
                if all(' --wait ' in line for line in lines)
                else 'see it'
            )
            goes_on = (
                f'{words.where_it_is(same)}; {words.how_to(end)}'
                if any(outcome.is_unfinished for outcome in same)
                else 'The service has not accepted it; run the same command '
                'again with --wait.'
            )
            message = f'{count} not {words.done} yet{names}. {goes_on}'
        if is_long and not lines:
            lines = list(map(_told, same))
        yield _with_lines(message, lines)


def summary(failed: Sequence[Outcome], total: int, words: Terms) -> str:
    """How many failed, and how many may have."""
    unknown = 0
    if not words.is_repeatable:
        unknown = sum(outcome.state is State.UNKNOWN for outcome in failed)
    not_sent = sum(isinstance(outcome.error, NotSent) for outcome in failed)
    parts = []
    if count := len(failed) - unknown:
        extent = f' ({not_sent} not sent)' if not_sent else ''
        parts.append(
            f'{count} of {total} {words.several} failed to {words.verb}'
            f'{extent}'
        )
    if unknown:
        rest = '' if count else f' of {total} {words.several}'
        parts.append(f'the state of {unknown}{rest} is unknown')
    said = f'{capital("; ".join(parts))}.'
    if words.is_repeatable or len(failed) == total or unknown == len(failed):
        return said
    # What helps a single one may be another try.
    return f'{said} {words.retry}'


def unprinted(outcomes: Sequence[Outcome], words: Terms) -> str:
    """By what changes are followed whose rows could not be shown.

    :returns: '' if there is nothing to follow.
    """
    lines = words.commands_for(outcomes)
    if not lines:
        return ''
    return _with_lines(
        f'The rows could not be shown, and {words.how_to("see them")}', lines
    )


def unwatched(outcomes: Sequence[Outcome], words: Terms) -> str:
    """What was accepted in a run that was stopped before it could wait.

    :returns: '' if nothing was.
    """
    accepted = [outcome for outcome in outcomes if outcome.is_unfinished]
    if not accepted:
        return ''
    message = (
        f'{len(accepted)} of {len(outcomes)} {words.several} were accepted '
        f'before that. {words.noun.capitalize()} continues in the service; '
        f'{words.how_to("see it")}'
    )
    return _with_lines(message, words.commands_for(accepted))


def _together(
    outcomes: Sequence[Outcome], key: Callable[[Outcome], object]
) -> Iterator[list[Outcome]]:
    """The outcomes with the same key in one list."""
    groups: dict[object, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    yield from groups.values()


def _told_of(
    outcomes: Sequence[Outcome],
    words: Terms,
    text_of: Callable[[Outcome], str],
) -> Iterator[str]:
    for same in _together(outcomes, text_of):
        text = text_of(same[0])
        if len(same) >= MANY:
            yield _with_targets(f'{len(same)} {words.several}: {text}', same)
        else:
            for outcome in same:
                yield f'{capital(words.one)} {label(outcome.target)}: {text}'


def _failed(
    same: Sequence[Outcome], what: str, words: Terms, told: str, failed: str
) -> str:
    """One sentence for one target or for many.

    :param what: what is meant, with its verb.
    :param failed: what comes before the verb of the command.
    """
    name = what.rpartition(' ')[0]
    if _is_not_found(same[0]):
        return f'Failed to look up {name}: {told}'
    if same[0].state is State.UNKNOWN:
        return (
            f'Whether {what} {words.done} is unknown: {told} '
            f'{words.how_to_settle(len(same))}'
        )
    return f'{failed} {words.verb} {name}: {told}'


def _with_targets(
    message: str, same: Sequence[bulk.Outcome[Target, Any]]
) -> str:
    return _with_lines(message, map(_told, same))


def _with_lines(message: str, lines: Iterable[str]) -> str:
    return '\n'.join([message, *(f'  {line}' for line in lines)])


def _told(outcome: bulk.Outcome[Target, Any]) -> str:
    """A target, and what its answer has of its own."""
    request_id = getattr(outcome.error, 'request_id', None)
    request = f', request {shortened(request_id, 80)}' if request_id else ''
    return f'{label(outcome.target)}{request}'


def _shared(outcome: bulk.Outcome[Target, Any]) -> str:
    """The reason, without what differs from one target to the next."""
    told = reason(outcome, with_request=False)
    id = outcome.target.id
    return told.replace(id, '<ID>') if id else told
