"""Files, frames and arrays in; arrays a network can learn from out.

`read` makes a `Table` of whatever the user names, `label` finds the target, `split` divides the
samples, `fit_prep` learns from the training samples only, and the `Prep` turns any table of the
same columns into arrays. Nothing here knows a network.
"""

from threestep.data.anew import read_anew
from threestep.data.builtin import BUILTIN_NAMES
from threestep.data.coding import different_words
from threestep.data.dates import DATE_ORDERS, DATE_PARTS, may_be_either, words_among_dates
from threestep.data.encoding import FARTHEST, encode, encode_learned, encode_target, encoded
from threestep.data.folder_layout import readable
from threestep.data.kept import kept_facts
from threestep.data.kinds import COLUMN_KINDS, ColumnKind, count_words, kinds_of, overrides_of, words_among
from threestep.data.labels import whole_numbers
from threestep.data.layout import Layout, as_numbers, columns_wanted, input_names, part_name
from threestep.data.leaks import leaks_of
from threestep.data.level_means import NO_MEANS
from threestep.data.levels import MANY_LEVELS
from threestep.data.media import PICTURE_BITS, Media
from threestep.data.prep import NO_BINS, Prep, fit_prep, with_means, without_bins
from threestep.data.reading import label, labelled, read, read_to_learn
from threestep.data.roles import balanced_weights, column_of, ranks_in, weights_in, without
from threestep.data.sameness import fingerprint, keys_of_samples, keys_of_values
from threestep.data.splitting import Split, dealt, split, tested
from threestep.data.strangers import notes_on_strangers
from threestep.data.sums import ADDING_UP
from threestep.data.table import Table
from threestep.data.target import Target, is_unknown, notes_on_classes, understand_target
from threestep.data.written import PLAIN, Form

__all__ = [
    "ADDING_UP",
    "BUILTIN_NAMES",
    "COLUMN_KINDS",
    "DATE_ORDERS",
    "DATE_PARTS",
    "FARTHEST",
    "MANY_LEVELS",
    "NO_BINS",
    "NO_MEANS",
    "PICTURE_BITS",
    "PLAIN",
    "ColumnKind",
    "Form",
    "Layout",
    "Media",
    "Prep",
    "Split",
    "Table",
    "Target",
    "as_numbers",
    "balanced_weights",
    "column_of",
    "columns_wanted",
    "count_words",
    "dealt",
    "different_words",
    "encode",
    "encode_learned",
    "encode_target",
    "encoded",
    "fingerprint",
    "fit_prep",
    "input_names",
    "is_unknown",
    "kept_facts",
    "keys_of_samples",
    "keys_of_values",
    "kinds_of",
    "label",
    "labelled",
    "leaks_of",
    "may_be_either",
    "notes_on_classes",
    "notes_on_strangers",
    "overrides_of",
    "part_name",
    "ranks_in",
    "read",
    "read_anew",
    "read_to_learn",
    "readable",
    "split",
    "tested",
    "understand_target",
    "weights_in",
    "whole_numbers",
    "with_means",
    "without",
    "without_bins",
    "words_among",
    "words_among_dates",
]
