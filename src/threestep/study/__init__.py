"""One run of the three steps, its journal and its folder; and the worked example.

`prepare_run` decides everything that can be decided beforehand; `run_steps` goes through the
three steps and yields what happens as plain dicts, in the order of the journal; what it returns
is a `Run`.
"""

from threestep.study.choices import choose_settings
from threestep.study.comparing import compare_steps
from threestep.study.events import notes_on_left_out
from threestep.study.explaining import Explanation, explain_model, plain_explanation
from threestep.study.finding import find_model
from threestep.study.folder import RunFolder, check_page_folder, new_folder, page_folder, read_journal
from threestep.study.health import Health, health_steps, plain_health
from threestep.study.picking import Found
from threestep.study.preparing import Prepared, arrays_of, prepare_parts, prepare_run
from threestep.study.run import Run, model_kept, run_steps
from threestep.study.scores import score_samples
from threestep.study.searching import nothing_in_words
from threestep.study.verdict import Comparison, difference_of, plain_of, shown
from threestep.study.worked_example import WorkedExample, work_example

__all__ = [
    "Comparison",
    "Explanation",
    "Found",
    "Health",
    "Prepared",
    "Run",
    "RunFolder",
    "WorkedExample",
    "arrays_of",
    "check_page_folder",
    "choose_settings",
    "compare_steps",
    "difference_of",
    "explain_model",
    "find_model",
    "health_steps",
    "model_kept",
    "new_folder",
    "notes_on_left_out",
    "nothing_in_words",
    "page_folder",
    "plain_explanation",
    "plain_health",
    "plain_of",
    "prepare_parts",
    "prepare_run",
    "read_journal",
    "run_steps",
    "score_samples",
    "shown",
    "work_example",
]
