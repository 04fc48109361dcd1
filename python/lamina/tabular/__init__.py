"""Networks on tables: raw columns in, labels or numbers out, one file that carries the preparation.

    import lamina.tabular

    model = lamina.tabular.TabularModel(hidden=(64, 64)).fit("train.csv", target="price")
    print(model.report)
    model.save("price.safetensors")
    lamina.tabular.TabularModel.load("price.safetensors").predict("new.csv")

It needs pandas and, to fit and to evaluate, scikit-learn: `pip install 'lamina[tabular]'`.
"""

from ._model import TabularModel
from ._preprocessor import Preprocessor
from ._tables import read_table

__all__ = ["TabularModel", "Preprocessor", "read_table"]
