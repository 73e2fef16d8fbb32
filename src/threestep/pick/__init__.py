"""Step 3: pick the best function.

`train` picks the params inside one set of functions by gradient descent (backpropagation by
`jax.grad`, the optimizers' formulas written out). Many epochs are one compiled program; one row of
numbers per epoch comes back. `descend` is the same, a block of epochs at a time.
"""

from threestep.pick.averaging import averaged_ones
from threestep.pick.descent import (
    Picked,
    check_changes,
    descend,
    is_in_bfloat16,
    losses_of,
    outputs_of,
    picked_of,
    train,
)
from threestep.pick.designed import Designs, compile_designed, try_designed
from threestep.pick.finals import NO_FINALS, Finals, anew_ones, hold_finals, kept_for_finals
from threestep.pick.folds import Folded, hold_finals_in_folds, room_of, rows_of
from threestep.pick.going_on import Begun, before_the_first_step
from threestep.pick.members import Job, Member, Trained
from threestep.pick.newcomers import USUAL_DEPTH
from threestep.pick.outcome import Outcome
from threestep.pick.population import Population, ended, train_members
from threestep.pick.program import EpochRow
from threestep.pick.programs import members_at_once
from threestep.pick.proposals import Field, Proposal, Searcher, Tried
from threestep.pick.ranking import distinct_ones, is_whole, leaderboard, preferred, rule_of
from threestep.pick.rungs import Plan, rungs_of, search
from threestep.pick.samples import Samples
from threestep.pick.searchers import repeats_of, searcher_of

__all__ = [
    "NO_FINALS",
    "USUAL_DEPTH",
    "Begun",
    "Designs",
    "EpochRow",
    "Field",
    "Finals",
    "Folded",
    "Job",
    "Member",
    "Outcome",
    "Picked",
    "Plan",
    "Population",
    "Proposal",
    "Samples",
    "Searcher",
    "Trained",
    "Tried",
    "anew_ones",
    "averaged_ones",
    "before_the_first_step",
    "check_changes",
    "compile_designed",
    "descend",
    "distinct_ones",
    "ended",
    "hold_finals",
    "hold_finals_in_folds",
    "is_in_bfloat16",
    "is_whole",
    "kept_for_finals",
    "leaderboard",
    "losses_of",
    "members_at_once",
    "outputs_of",
    "picked_of",
    "preferred",
    "repeats_of",
    "room_of",
    "rows_of",
    "rule_of",
    "rungs_of",
    "search",
    "searcher_of",
    "train",
    "train_members",
    "try_designed",
]
