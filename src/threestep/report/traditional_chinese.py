"""What the pages say in traditional Chinese, as written in Taiwan."""

PAGE: dict[str, str] = {
    # the head
    "threestep report": "threestep 報告",
    "{n} samples, {inputs} inputs each; {target} is {kind} ({reason}).": (
        "{n} 筆樣本，每筆 {inputs} 個輸入；{target} 是 {kind}（{reason}）。"
    ),
    "{n} samples, {inputs} input each; {target} is {kind} ({reason}).": (
        "{n} 筆樣本，每筆 {inputs} 個輸入；{target} 是 {kind}（{reason}）。"
    ),
    "{n} classes": "{n} 個類別",
    "{n} labels, each yes or no": "{n} 個標籤，各為是或否",
    "{n} numbers": "{n} 個數值",
    "{n} samples, {inputs} inputs each; {target} are {kind} ({reason}).": "{n} 筆樣本，每筆 {inputs} 個輸入；{target} 是 {kind}（{reason}）。",
    "Nothing was learned: {why}.": "什麼也沒學到：{why}。",
    "The run was interrupted; this is the best until then.": "執行被中斷；這是到那時為止最好的結果。",
    "R² is below 0: this is worse than always saying the mean.": "R² 低於 0：比總是回答平均值還差。",
    "This is no better than always the same answer.": "這並不比總是給同一個答案好。",
    "all {n} labels right": "{n} 個標籤全對",
    "of single labels {share} are right": "單一標籤答對 {share}",
    "always the most common class ({name}): {share}": "總是回答最常見的類別（{name}）：{share}",
    "always the most common answers: {share}": "總是回答最常見的答案：{share}",
    "always the mean: {rmse}": "總是回答平均值：{rmse}",
    "of the targets lie between the {low} and the {high} quantile ({wanted} % wanted)": "的目標落在 {low} 與 {high} 分位數之間（應有 {wanted} %）",
    "these are {n} apart, on the average": "兩者平均相距 {n}",
    "R², the mean of {n} targets,": "{n} 個目標的平均 R²",
    "R² of the {name} quantile": "{name} 分位數的 R²",
    "a number": "數值",
    "{what} on {n} {part} samples": "{what}（{n} 筆{part}樣本）",
    "{what} on {n} {part} sample": "{what}（{n} 筆{part}樣本）",
    "95 % interval {low} to {high}": "95 % 信賴區間 {low} 至 {high}",
    "typical error (RMSE) {rmse}": "典型誤差（RMSE）{rmse}",
    "train": "訓練",
    "valid": "驗證",
    "test": "測試",
    "all": "全部",
    # step 1
    "Define a set of functions": "定義一組函數",
    "The structure of the network fixes which functions can be picked at all.": (
        "網路的結構決定了有哪些函數可以挑選。"
    ),
    "What could be tried were networks of {depths} hidden layers with {widths} neurons each, {activations}{residual}, proposed by {who}.": "可以嘗試的網路有 {depths} 個隱藏層，每層 {widths} 個神經元，{activations}{residual}，由{who}提出。",
    "What could be tried were networks without a hidden layer, proposed by {who}.": "可以嘗試的是沒有隱藏層的網路，由{who}提出。",
    "{n} were trained.": "訓練了 {n} 個。",
    "One was trained.": "訓練了一個。",
    "One was trained within the budget.": "在預算內訓練了一個。",
    "One was trained until Ctrl-C ended the search.": "訓練了一個之後，搜尋被 Ctrl-C 中止。",
    "{n} were trained within the budget.": "在預算內訓練了 {n} 個。",
    "{n} were trained until Ctrl-C ended the search.": "訓練了 {n} 個之後，搜尋被 Ctrl-C 中止。",
    "None was trained.": "一個也沒有訓練。",
    "Then the best began anew, {n} times, for at most {epochs} epochs.": "接著最好的那些從頭訓練，共 {n} 次，至多 {epochs} 輪。",
    "Then the best began anew, {n} times, each in {folds} folds, for at most {epochs} epochs.": "接著最好的那些從頭訓練，共 {n} 次，每次分 {folds} 折，至多 {epochs} 輪。",
    "Then one of the best began anew, for at most {epochs} epochs.": "接著最好的之一從頭訓練，至多 {epochs} 輪。",
    "Then one of the best began anew, in {folds} folds, for at most {epochs} epochs.": "接著最好的之一分 {folds} 折從頭訓練，至多 {epochs} 輪。",
    "Then one of the best was trained longer.": "接著最好的之一再訓練更久。",
    "Then {n} of the best were trained longer.": "接著最好的 {n} 個再訓練更久。",
    "No further training of the best came to its end.": "最好的那些沒有一個完成進一步的訓練。",
    "Nothing was picked among them; what answers instead is:": "其中沒有挑出任何一個；代為回答的是：",
    "Of {n} layers there is no drawing; the table has them all.": "層數為 {n}，不畫圖；表中列出每一層。",
    ", plain or residual": "，一般或殘差",
    "random search": "隨機搜尋",
    "evolution: the best so far, varied": "演化（由目前最好的變化而來）",
    "Optuna's sampler": " Optuna 的取樣器",
    "Beside that, one with convolutions, as people design them.": "此外還有一個人們常用的卷積網路。",
    "Beside them {n} with convolutions, as people design them.": "此外還有 {n} 個人們常用的卷積網路。",
    "Beside them {n} with convolutions: some as people design them, {varied} drawn at random, varied "
    "from the best or trained anew.": (
        "此外還有 {n} 個卷積網路：有些是人們常用的設計，{varied} 個是隨機產生、由最佳者變化而來或重新訓練的。"
    ),
    "This is the one that was picked:": "挑中的是這一個：",
    "input": "輸入",
    "inputs": "輸入",
    "outputs": "輸出",
    "hidden {n}": "隱藏層 {n}",
    "output": "輸出層",
    "layer": "層",
    "what": "內容",
    "inputs → outputs": "輸入 → 輸出",
    "params": "參數",
    "It sees the columns themselves. Others were tried that also see, for each number, how far through each of "
    "several bins it is.": "它看到的是欄位本身。也試過另一些網路，對每個數值還看到它在各分箱中的位置。",
    "Its answers are averaged with those of {n} more: {others}. All together: {params} params.": (
        "它的答案會與另外 {n} 個網路的答案取平均：{others}。合計 {params} 個參數。"
    ),
    "Its answers are averaged with those of {n} more, {structures} structures × {folds} folds: {others}. All together: {params} params.": "它的答案會與另外 {n} 個網路的答案取平均，{structures} 種結構 × {folds} 折：{others}。合計 {params} 個參數。",
    "Trained once in each of {folds} folds, and the answers are averaged. All together: {params} params.": "在 {folds} 折中各訓練一次，答案取平均。合計 {params} 個參數。",
    "{n} × ({network})": "{n} ×（{network}）",
    "What each hidden layer adds": "每個隱藏層帶來什麼",
    "A linear function of what a layer makes of the samples (at most 1,000 of its outputs, or means of "
    "neighbouring ones), fitted to training samples by least squares, tells the "
    "target of {n} {part} samples so well ({score}): where the number clearly rises, the layer adds something. The "
    "network itself may be better.": (
        "以各層的輸出（至多 1,000 個，或相鄰輸出的平均）做線性函數，用最小平方法配適訓練樣本，再看它把 {n} 筆{part}樣本的目標說得多準（{score}）："
        "數字明顯上升之處，那一層就有貢獻。網路本身可能更好。"
    ),
    "a linear probe of each layer": "各層的線性探測",
    # step 2
    "Goodness of a function": "函數的好壞",
    "How good a function is, is a number: the loss on samples whose answer is known.": (
        "函數的好壞是一個數字：在已知答案的樣本上的損失。"
    ),
    "The loss is {loss}: per sample, lower is better; knowing nothing gives {guess}. The total loss is the sum "
    "over the samples.": "損失為 {loss}：每筆樣本計算，越低越好；一無所知時為 {guess}。總損失是所有樣本的總和。",
    "The loss is {loss}, half the square of the error in standard deviations of the target: per sample, lower is better; knowing nothing gives {guess}. The total loss is the sum over the samples.": "損失為 {loss}，即誤差（以目標的標準差為單位）平方的一半：每筆樣本計算，越低越好；一無所知時為 {guess}。總損失是所有樣本的總和。",
    "F1 of {name}": "{name} 的 F1",
    "{metric} of the {name} quantile": "{name} 分位數的 {metric}",
    "R², the mean of {n} targets": "{n} 個目標的平均 R²",
    "all labels right": "標籤全對",
    "Target by target ({part} samples)": "逐一目標（{part}樣本）",
    "samples that have it": "有此標籤的樣本數",
    "RMSE of the mean": "回答平均值的 RMSE",
    "loss": "損失",
    "total loss": "總損失",
    "measured": "項目",
    "accuracy": "準確率",
    "95 % interval": "95 % 信賴區間",
    "balanced accuracy": "平衡準確率",
    "No AUC: the {part} samples have one class only.": "沒有 AUC：{part}樣本只有一個類別。",
    "calibration error": "校準誤差",
    "accuracy of single labels": "單一標籤準確率",
    "between the outer quantiles": "落在最外兩個分位數之間",
    "wanted": "應有",
    "mean distance between them": "兩者的平均距離",
    "Valid are all samples but the test ones, each judged by the networks of the folds that did not learn from "
    "it.": "驗證樣本是測試以外的全部樣本，每一筆都由沒有學過它的各折網路來評判。",
    "The validation samples picked the best of {which}, which may be luck: {said}. Picked by some of them and judged "
    "by the others, over and over, it comes to {left}. The test samples had no part in any choice.": (
        "驗證樣本從 {which} 個網路中挑出最好的，其中可能有運氣：{said}。反覆以一部分樣本挑選、以其餘樣本評判，則為：{left}。"
        "測試樣本從未參與任何選擇。"
    ),
    "{n} that were trained in folds, of {all} tried": "試過的 {all} 個之中分折訓練的 {n}",
    "What is taken for what ({part} samples)": "混淆矩陣：什麼被誤認成什麼（{part}樣本）",
    "A number of wrong answers opens the samples.": "點選答錯的數字，可以看到那些樣本。",
    "{n} of {target} taken for {predicted}; rows (from 0) {numbers}": (
        "{n} 筆 {target} 被認成 {predicted}；列號（從 0 起）{numbers}"
    ),
    "{n} of {target} taken for {predicted}; row (from 0) {numbers}": (
        "{n} 筆 {target} 被認成 {predicted}；列號（從 0 起）{numbers}"
    ),
    "is \\ taken for": "實際 \\ 認成",
    "is": "實際",
    "taken for": "認成",
    "share of its class": "占該類別的比例",
    "Class by class, the weakest first ({part} samples)": "逐一類別，最弱的在前（{part}樣本）",
    "The {n} weakest classes, the weakest first ({part} samples)": "最弱的 {n} 個類別，最弱的在前（{part}樣本）",
    "class": "類別",
    "samples": "樣本數",
    "precision": "精確率",
    "recall": "召回率",
    "Is it as sure as it should be? ({part} samples)": "它的把握恰如其分嗎？（{part}樣本）",
    "All outputs are divided by {temperature}, learned on the samples that chose.": (
        "所有輸出都除以 {temperature}，這個值由負責選擇的樣本學得。"
    ),
    "The confidences are not corrected.": "信心值未經校正。",
    "confidence and accuracy": "信心與準確率",
    "confidence and accuracy, before the correction": "信心與準確率，校正前",
    "confidence and accuracy, after the correction": "信心與準確率，校正後",
    "confidence": "信心",
    "share that is right": "答對的比例",
    "all are about as sure: mean confidence {confidence}, right {share}": "把握大致相同：平均信心 {confidence}，答對的比例 {share}",
    "as sure as it should be": "把握恰如其分",
    "How far the answers are off ({part} samples)": "答案差了多少（{part}樣本）",
    "Target minus answer: half of them from {low} to {high}, nine in ten from {lowest} to {highest}, the middle one {middle}.": "目標減答案：半數在 {low} 至 {high}，九成在 {lowest} 至 {highest}，中位數為 {middle}。",
    "Target minus answer: half of them from {low} to {high}, the middle one {middle}.": "目標減答案：半數在 {low} 至 {high}，中位數為 {middle}。",
    "{n} of the {all} samples are drawn.": "圖中畫出 {all} 筆樣本中的 {n} 筆。",
    "answer by target": "答案對目標",
    "target": "目標",
    "answer": "答案",
    "right": "正確",
    "The {n} worst of the {part} samples": "{part}樣本中最差的 {n} 筆",
    "The {n} hardest of the {part} samples; all are answered rightly": "{part}樣本中最難的 {n} 筆；全部答對",
    "The {part} samples, the hardest first; all are answered rightly": "{part}樣本，最難的在前；全部答對",
    "The {part} samples, the worst first": "{part}樣本，最差的在前",
    "file": "檔案",
    "row (from 0)": "列號（從 0 起）",
    "row {n}": "列 {n}",
    "predicted": "預測",
    "loss {loss}": "損失 {loss}",
    "Labels that may be wrong": "可能標錯的標籤",
    "None stands out among the samples that were not learned from.": "在沒有學過的樣本中，沒有可疑的標籤。",
    "One of {all} samples that were not learned from looks like another class, by confident learning (Northcutt et al. 2021). Look at it before you believe either.": (
        "依信心學習法（Northcutt 等人，2021），{all} 筆沒有學過的樣本中有一筆看來屬於別的類別。相信任何一方之前，請先看看它。"
    ),
    "{n} of {all} samples that were not learned from look like another class, by confident learning (Northcutt et "
    "al. 2021). Look at them before you believe either; the journal has the rows of all.": (
        "依信心學習法（Northcutt 等人，2021），{all} 筆沒有學過的樣本中有 {n} 筆看來屬於別的類別。相信任何一方之前，請先看看它們；日誌中有全部的列號。"
    ),
    "label": "標籤",
    "These are more than a tenth: most of them will be mistakes of the network, not of the labels.": "這超過十分之一：其中大多應是網路的錯，而不是標籤的錯。",
    "confidence in the label": "對標籤的信心",
    "confidence in that": "對它的信心",
    "looks like": "看來像",
    "The columns that matter": "重要的欄位",
    "By how much the loss rises once a column's values are dealt out anew among the {part} samples (permutation "
    "importance). Of columns that say the same, each may look unimportant.": (
        "把某一欄的值在{part}樣本間重新分發後，損失上升多少（排列重要性）。內容相同的欄位，個別看來可能都不重要。"
    ),
    "the loss rises by (± standard deviation of three deals)": "損失增加多少（± 三次重分的標準差）",
    # step 3
    "Pick the best function": "挑出最好的函數",
    "Gradient descent picks the params of one network; a search does so for many, and picks the network.": (
        "梯度下降為一個網路挑出參數；搜尋對許多網路這樣做，再挑出網路。"
    ),
    "best so far": "目前最好",
    "validation loss": "驗證損失",
    "validation loss by size": "驗證損失對大小",
    "tried": "試過",
    "none smaller is better": "沒有更小又更好的",
    "picked": "挑中",
    "network": "網路",
    "score (95 % interval)": "分數（95 % 信賴區間）",
    "typical error (RMSE)": "典型誤差（RMSE）",
    "{score} ({low} to {high})": "{score}（{low} 至 {high}）",
    "seconds": "秒",
    "how it came about": "如何產生",
    "from {n}: {change}": "來自 {n}：{change}",
    "no.": "編號",
    "Their order: {order}.": "排列的次序：{order}。",
    "The only one tried": "試過的唯一一個",
    "The best {n} of {all} tried": "試過的 {all} 個中最好的 {n} 個",
    "What was trained in folds is judged on all samples but the test ones, each by a network that did not learn "
    "from it; the others on the validation samples alone, which chose them many times: their losses are partly "
    "luck.": "分折訓練的網路以測試以外的全部樣本評判，每筆都由沒有學過它的網路來答；其餘只以多次參與選擇的驗證樣本評判："
    "它們的損失有一部分是運氣。",
    "The first is picked although another has a lower loss: it learned everything afresh, and the other is not "
    "better by more than the luck of as many tries.": (
        "雖然另有損失更低的，仍挑中第一個：它是從頭學起的，而另一個的優勢並未超過這麼多次嘗試的運氣。"
    ),
    "The first {n} are the ones whose answers are averaged.": "前 {n} 個就是答案取平均的那些。",
    "The first {n} are the structures whose answers are averaged; each was trained in {folds} folds, which makes {all} networks.": "前 {n} 個就是答案取平均的結構；各分 {folds} 折訓練，共 {all} 個網路。",
    "Losses are those of each network alone, before answers are corrected or averaged; those of what answers in the end are in step 2.": "這裡的損失屬於單一網路，未經校正或取平均；最後作答者的損失見第 2 步。",
    "Where the picked one came from": "挑中的網路從何而來",
    "gained": "改進",
    "by": "變化",
    "Note:": "注意：",
    "The last descent of the picked one": "挑中網路的最後一次下降",
    "Gradient descent went through the training samples {n} times; {kept} Ended because: {why}.": (
        "梯度下降看過訓練樣本 {n} 遍；{kept}結束的原因：{why}。"
    ),
    "Gradient descent went through the training samples once; {kept} Ended because: {why}.": (
        "梯度下降看過訓練樣本一遍；{kept}結束的原因：{why}。"
    ),
    "the params of epoch {n} have the lowest validation loss and are the ones kept.": (
        "第 {n} 輪的參數驗證損失最低，因此保留。"
    ),
    "no epoch ended with a finite validation loss, so these are the params it started from.": (
        "沒有任何一輪的驗證損失是有限值，因此保留的是起始參數。"
    ),
    "Gradient descent ended because: {why}; there was no time for a whole epoch.": "梯度下降結束的原因：{why}；時間不足以完成一輪。",
    "No epoch of gradient descent was done. Ended because: {why}.": "梯度下降沒有完成任何一輪。結束的原因：{why}。",
    "Seconds: {seconds}.": "時間：{seconds}。",
    "epoch": "輪",
    "picked: epoch {n}": "挑中：第 {n} 輪",
    "learning rate": "學習率",
    "rate": "學習率",
    "gradient size": "梯度大小",
    "size": "大小",
    "The gradient in each layer": "每一層的梯度",
    "At the picked params, over {n} training samples. Gradients that shrink from the output to the first layer "
    "vanish, those that grow explode. The last column is what a first step at the highest learning rate above "
    "would change.": "在挑中的參數處，以 {n} 筆訓練樣本計算。梯度若從輸出層往第一層越來越小，就是梯度消失；越來越大，就是梯度爆炸。"
    "最後一欄是以上面最高的學習率走第一步會改變多少。",
    "size of its weights": "權重大小",
    "size of their gradient": "梯度大小",
    "a step changes them by (share)": "一步改變的比例",
    "Seconds: {seconds}. The training loss is measured while training, dropout and label smoothing included, so "
    "it can lie above the validation loss.": (
        "時間：{seconds}。訓練損失是在訓練時量的，包含 dropout 與標籤平滑，所以可能高於驗證損失。"
    ),
    "{name} {n} s": "{name} {n} 秒",
    "read": "讀取",
    "prepare": "準備",
    "check": "檢查",
    "measure": "評量",
    # the data
    "The data, checked": "檢查資料",
    "found": "結果",
    "samples without a target": "沒有目標的樣本",
    "{n}; they are left out": "{n} 筆，未使用",
    "one; it is left out": "一筆，未使用",
    "missing values": "缺值",
    "classes": "類別",
    "copies": "重複",
    "test samples that were learned from, too": "也被學過的測試樣本",
    "columns that give the target away": "洩漏目標的欄位",
    "in one column: {named}": "1 個欄位有缺值：{named}",
    "even: {n} of each": "平均：每類各 {n} 筆",
    "in {n} columns: {named}": "{n} 個欄位有缺值：{named}",
    "none": "沒有",
    "no column equals, determines or orders the target by itself, and none add up to it": (
        "沒有任何欄位單獨等於、決定目標或與目標排序相同，也沒有欄位相加得出目標"
    ),
    "{n}: see above": "{n} 個：見上方",
    "even enough: from {n} of {rarest} to {most} of {name}": "還算平均：從 {rarest} 的 {n} 筆到 {name} 的 {most} 筆",
    "uneven: {n} of {rarest}, {most} of {name}; look at balanced accuracy and F1, or learn with --class-weight "
    "balanced": "不平均：{rarest} 有 {n} 筆，{name} 有 {most} 筆；請看平衡準確率與 F1，或以 --class-weight balanced 學習",
    "one sample repeats another one": "一筆樣本與另一筆完全相同",
    "{n} samples repeat another one": "{n} 筆樣本與另一筆完全相同",
    "{n} samples repeat another one; {odd} are equal to one with another target, which no network can tell "
    "apart": "{n} 筆樣本與另一筆完全相同；{odd} 筆與目標不同的樣本相同，任何網路都無法分辨",
    "{n} of {all} have the features of one that is learned from; if they are the same thing, the test score is too "
    "good, and --groups COLUMN keeps them together": (
        "{all} 筆中有 {n} 筆的特徵與學過的樣本相同；如果是同一個對象，測試分數就偏高了，--groups COLUMN 可讓它們留在同一邊"
    ),
    "in {share} of the samples": "{share} 的樣本有缺值",
    # using it
    "{name} ({what})": "{name}（{what}）",
    "Use it": "使用",
    "New samples need the columns {columns}.": "新的樣本要有這些欄位：{columns}。",
    "For other programs, as one ONNX file: columns in, answers out.": "供其他程式使用的單一 ONNX 檔：輸入欄位，輸出答案。",
    "To repeat the run: config.toml has every setting (seed {seed}); made with {versions}.": (
        "重做一次：config.toml 有每一項設定（種子 {seed}）；使用 {versions}。"
    ),
    "The data had the SHA-256 {hash} (samples, targets and names).": "資料的 SHA-256 為 {hash}（樣本、目標與名稱）。",
    # comparisons
    "threestep study": "threestep 研究",
    "Deep or wide? Networks of equal params, from one fat layer to many thin ones.": (
        "深還是寬？參數量相同的網路，從一個胖的層到許多瘦的層。"
    ),
    "How wide? One hidden layer of growing width.": "要多寬？一個隱藏層，寬度逐漸增加。",
    "Do residuals help? Stacks of equal layers, plain and with residuals.": (
        "殘差有幫助嗎？相同的層疊起來，一般的與有殘差的。"
    ),
    "wrong answers": "錯誤答案",
    "layers × neurons": "層數 × 神經元",
    "What was picked has learned from the validation samples, too (refit): only the test samples can judge it.": (
        "選出的網路後來也用驗證樣本學習過（refit）：只有測試樣本能評斷它。"
    ),
    "compared with": "比較對象",
    "difference": "差別",
    "{n} points": "{n} 個百分點",
    "chance": "p 值",
    "{what} in {unit}": "{what}（{unit}）",
    "{what}: mean and 95 % interval of {n} divisions": "{what}：{n} 次劃分的平均與 95 % 信賴區間",
    "{low} to {high}": "{low} 至 {high}",
    "How it was made": "怎麼做的",
    "The {n} samples were divided {times} times at random into {train} to learn from, {valid} to choose the epoch "
    "by, and {test} that only measured. Each network was trained once on each division, for {epochs} epochs in "
    "batches of {batch}, with {activation} in its hidden layers and the one of the rates {rates} that suited it "
    "best on the validation samples of the first divisions. All this took {seconds} s.": (
        "{n} 筆樣本隨機劃分 {times} 次：{train} 筆用來學習，{valid} 筆用來選擇輪次，{test} 筆只用來評量。每個網路在每次劃分上訓練一次，"
        "共 {epochs} 輪，每批 {batch} 筆，隱藏層用 {activation}；學習率從 {rates} 之中，依最初幾次劃分的驗證樣本選最適合它的一個。"
        "總共花了 {seconds} 秒。"
    ),
    "Intervals and chances are those of the corrected resampled t-test (Nadeau & Bengio 2003): the divisions share "
    "samples, and a usual t-test would find differences that are not there. The chances are corrected for as many "
    "comparisons as there are (Holm 1979).": (
        "信賴區間與機率來自校正的重抽樣 t 檢定（Nadeau 與 Bengio，2003）：各次劃分共用樣本，一般的 t 檢定會找到並不存在的差別。"
        "機率已依比較的次數校正（Holm，1979）。"
    ),
    # deep stacks
    "why deep is hard": "深的網路為什麼難",
    "Stacks of equal convolutions of growing depth, trained alike.": "相同的卷積層疊起來，深度逐漸增加，訓練方式相同。",
    "Right answers of {n} samples that were not learned from, after the best of {epochs} epochs over {train} others:": (
        "以另外 {train} 筆樣本訓練 {epochs} 輪，在最好的一輪之後，對 {n} 筆沒有學過的樣本答對的比例："
    ),
    "Right answers of {n} samples that were not learned from, after one epoch over {train} others:": (
        "以另外 {train} 筆樣本訓練一輪之後，對 {n} 筆沒有學過的樣本答對的比例："
    ),
    "kind of stack": "種類",
    "{n} layers": "{n} 層",
    "All this took {n} s.": "總共花了 {n} 秒。",
    "size of the gradient at the start, as a power of ten": "起初的梯度大小（10 的次方）",
    "training loss, at most {most} shown (knowing nothing: {guess})": (
        "訓練損失，最多畫到 {most}（一無所知時：{guess}）"
    ),
    "No epoch was finished.": "沒有完成任何一輪。",
    # what the layers learned
    "what the layers learned": "各層學到了什麼",
    "{network}; the first of {n} networks that answer together": "{network}；共同作答的 {n} 個網路中的第一個",
    "The samples have no target: what the model answers stands in its place.": "樣本沒有目標欄位，因此以模型自己的答案代替。",
    "There is no hidden layer; a linear function of the inputs has {score} {first}.": (
        "沒有隱藏層；輸入的線性函數的{score}為 {first}。"
    ),
    "A linear function of the inputs has {score} {first}, one of the last hidden layer {last}: that is what the "
    "hidden layers are there for.": (
        "輸入的線性函數的{score}為 {first}，最後一個隱藏層的為 {last}：隱藏層就是為此而設的。"
    ),
    "A linear function of the inputs has {score} {first} already, one of the last hidden layer {last}: the hidden "
    "layers make it no easier to tell the answers apart.": (
        "輸入的線性函數的{score}已達 {first}，最後一個隱藏層的為 {last}：隱藏層並未讓答案更容易分辨。"
    ),
    "All {n} samples are looked at.": "看了全部 {n} 筆樣本。",
    "{n} of {all} samples are looked at, drawn at random.": "隨機抽出 {all} 筆樣本中的 {n} 筆來看。",
    "{drawn} of them are shown as points.": "其中 {drawn} 筆畫成點。",
    "Those that the network learned from, if there are any, are not left out: of new samples its layers may know less.": (
        "其中若有網路學過的樣本，也包括在內：對新的樣本，各層所知可能較少。"
    ),
    "How well each layer tells the answers apart": "每一層把答案分得多開",
    "layer {n}: {what}": "第 {n} 層：{what}",
    "{score} of a linear probe": "線性探測的{score}",
    "A linear probe is fitted to the outputs of a layer for half of the samples and judged on the other half; then "
    "the other way round.": "線性探測以一半樣本在該層的輸出配適，以另一半評判；然後交換過來。",
    "Of a layer with more than {n} outputs it sees at most as many, evenly chosen, and may know less than the layer.": (
        "輸出超過 {n} 個的層，探測至多只看均勻挑選的這麼多個，所知可能比該層少。"
    ),
    "The samples as each layer sees them": "每一層眼中的樣本",
    "where they differ most (PCA)": "差異最大的方向（PCA）",
    "neighbours together (t-SNE)": "相近的在一起（t-SNE）",
    "{n}: {rows}": "{n}：{rows}",
    "Coloured by {name}.": "依 {name} 著色。",
    "Outputs (from 1) that vary most, and the rows (from 0) they answer to most: {units}.": (
        "變化最大的輸出（從 1 起），以及它們反應最強的列（從 0 起）：{units}。"
    ),
    "others": "其他",
    "What the first layer looks for": "第一層在找什麼",
    "Time goes to the right, high frequencies are above.": "時間向右，高頻在上。",
    "The weights of its neurons or filters as pictures, with their numbers (from 1): blue raises the sum, orange lowers it.": (
        "以圖呈現它的神經元或濾波器的權重，並附編號（從 1 起）：藍色使總和上升，橙色使總和下降。"
    ),
    "Of the first of {n} networks, which is looked into here:": "這裡所看的是 {n} 個網路中的第一個：",
    "The answer: {answer}.": "答案：{answer}。",
    "The answer: {answer}, confidence {share}.": "答案：{answer}，信心 {share}。",
    "Sample {n} (row {row}) through the network": "第 {n} 筆樣本（列 {row}）通過網路",
    "Which inputs mattered": "哪些輸入重要",
    "Its target: {target}.": "它的目標值：{target}。",
    "Gradient times input, for {what}: how much each raised (blue) or lowered (orange) its output, compared with "
    "what it is on the average.": "梯度乘以輸入（{what}）：與平均值相比，每個輸入使它的輸出上升（藍色）或下降（橙色）多少。",
    "gradient × input": "梯度 × 輸入",
    "Layer by layer": "逐層來看",
    "their values": "它們的值",
    "better beyond chance": "明確較好",
    "worse beyond chance": "明確較差",
    "no clear difference": "沒有明確差別",
}
"""By the English template; see `words.say`."""

JOURNAL: dict[str, str] = {
    "all epochs done": "所有輪次都完成了",
    "the validation loss had stopped falling": "驗證損失不再下降",
    "the loss exploded or became NaN; try a lower learning rate": "損失爆炸或成為 NaN；請試較低的學習率",
    "interrupted; the best so far is kept": "已中斷；保留目前最好的",
    "the budget was spent; the best so far is kept": "預算用完了；保留目前最好的",
    "the budget was spent before an epoch was done": "還沒完成一輪，預算就用完了",
    "nothing could be trained; {second}": "沒有網路能夠訓練；{second}",
    "there was no time to train, give a longer budget; {second}": "沒有時間訓練，請給更多預算；{second}",
    "this network only knows which answer is most common": "這個網路只知道哪個答案最常見",
    "this network always says the mean": "這個網路總是回答平均值",
    "this network takes yes and no for equally likely": "這個網路認為是與否機會相等",
    "as asked": "依指定",
    "yes or no": "是或否",
    "values with fractions": "帶小數的值",
    "{n} different words": "{n} 種不同的文字",
    "{n} different whole numbers": "{n} 種不同的整數",
    "whole numbers 0 to {n}, each of them used": "0 到 {n} 的整數，每個都有用到",
    "{n} columns of 0 and 1": "{n} 個 0 與 1 的欄位",
    "{n} columns of numbers": "{n} 個數值欄位",
    "column {name} is dates; {n} of {all} cells are words such as {word} and count as missing; --column "
    "{column}=category takes all of it as words": (
        "欄位 {name} 是日期；{all} 格中有 {n} 格是 {word} 之類的文字，視為缺失；加上 --column {column}=category "
        "則整欄都當成文字。"
    ),
    "column {name} is numbers; {n} of {all} cells are words such as {word} and count as missing; --column "
    "{column}=category takes all of it as words": (
        "欄位 {name} 是數值；{all} 格中有 {n} 格是 {word} 之類的文字，視為缺失；加上 --column {column}=category "
        "則整欄都當成文字。"
    ),
    "column {name} has {all} different words; the {n} most frequent are inputs, the others count as unknown": (
        "欄位 {name} 有 {all} 種不同的文字；最常見的 {n} 種各有一個輸入，其餘視為未知。"
    ),
    "column {name} has {all} different words; the {n} most frequent are inputs, all say what the target usually is "
    "there": "欄位 {name} 有 {all} 種不同的文字；最常見的 {n} 種各有一個輸入，每種另表示該處目標通常為何。",
    "column {name} has {all} different words; the {n} most frequent are inputs, the {known} most frequent say what "
    "the target usually is there": (
        "欄位 {name} 有 {all} 種不同的文字；最常見的 {n} 種各有一個輸入，最常見的 {known} 種另表示該處目標通常為何。"
    ),
    "no column is called target, label, class or y: the last one, {name}, is predicted; --target NAME chooses "
    "another one": "沒有名為 target、label、class 或 y 的欄位，因此預測最後一欄 {name}；用 --target NAME 可另選。",
    "target {name} looks like an id or free text: {n} of {all} classes have one sample only; --target NAME chooses "
    "another column": "目標 {name} 看來像編號或自由文字：{all} 個類別中有 {n} 個只有一筆樣本；用 --target NAME 可另選欄位。",
    "column {name} is left out: {why}": "不使用欄位 {name}：{why}",
    "column {name} is left out: {why}; --column {option}={asked} keeps it": (
        "不使用欄位 {name}：{why}；--column {option}={asked} 可保留它"
    ),
    "target {name} is missing in {n} of {all} samples; they are left out": (
        "{all} 筆樣本中有 {n} 筆沒有目標 {name}，未使用這些樣本"
    ),
    "{n} files read as {media}": "{n} 個檔案，讀成{media}",
    "network {spec} is one residual block; a whole ResNet is `{name}`": (
        "網路 {spec} 是一個殘差區塊；完整的 ResNet 是 `{name}`"
    ),
    "{n} file read as {media}": "{n} 個檔案，讀成{media}",
    "grey pictures of {height} × {width} pixels": "{height} × {width} 像素的灰階圖片",
    "colour pictures of {height} × {width} pixels": "{height} × {width} 像素的彩色圖片",
    "sounds of {seconds} s as {height} moments × {width} bands, {rate} Hz": (
        "{seconds} 秒的聲音，{height} 個時刻 × {width} 個頻帶，{rate} Hz"
    ),
    "{n} damaged file(s) left out: {named}": "不使用 {n} 個損壞的檔案：{named}",
    "grey of more than 8 bits is black at 0 and white at {n}, in all pictures alike": (
        "超過 8 位元的灰階在所有圖片中一律以 0 為黑、{n} 為白"
    ),
    "{n} of {all} files are longer than {seconds} s; their middle is used": (
        "{all} 個檔案中有 {n} 個超過 {seconds} 秒，只用其中段"
    ),
    "{n} files are not read ({endings})": "未讀取 {n} 個檔案（{endings}）",
    "{n} file is not read ({endings})": "未讀取 {n} 個檔案（{endings}）",
    "{n} files in no folder of a class left out, such as {name}": "不使用 {n} 個不在類別資料夾中的檔案，例如 {name}",
    "{n} file in no folder of a class left out, such as {name}": "不使用 {n} 個不在類別資料夾中的檔案，例如 {name}",
    "{name}/: its {n} samples are learned from and choose, as the others": (
        "{name}/：其中 {n} 個樣本與其他樣本一樣，用於學習與挑選"
    ),
    "class {name} has no files that can be read": "類別 {name} 沒有可讀的檔案",
    "class {name} has no samples to learn from, only {n} for the test": (
        "類別 {name} 沒有可供學習的樣本，只有 {n} 個測試樣本"
    ),
    "class {name} has no samples for the test": "類別 {name} 沒有測試樣本",
    "column {name} of {file} names {n} files, {label} is their label": (
        "{file} 的欄位 {name} 列出 {n} 個檔案，{label} 是它們的標籤"
    ),
    "{n} of {all} names in {file} are of no file that is there; they are left out": (
        "{file} 的 {all} 個名稱中有 {n} 個沒有對應的檔案，未使用"
    ),
    "{n} files beside {file} not named in it": "{file} 旁有 {n} 個檔案未列於其中",
    "{n} file beside {file} not named in it": "{file} 旁有 {n} 個檔案未列於其中",
    "the {n} samples for the test are scored, not the {others} others": (
        "評分的是 {n} 個測試樣本，不含另外 {others} 個"
    ),
    "one value only": "只有一個值",
    "{type} is not supported yet": "尚不支援 {type}",
    "its cells are neither numbers nor text": "它的儲存格既不是數字也不是文字",
    "none that was trained keeps `max_latency_ms` = {n}: the fastest is picked": (
        "訓練過的網路都不符合 `max_latency_ms` = {n}：挑了最快的"
    ),
    "none that was trained keeps `max_params` = {n}: the fastest is picked": (
        "訓練過的網路都不符合 `max_params` = {n}：挑了最快的"
    ),
    "refit: no time was left for the picked network, or its loss exploded; it stays as picked": (
        "refit：挑中的網路已沒有時間，或損失爆炸；維持挑中時的樣子"
    ),
    "refit: no time was left for {n} of the {all} picked networks, or its loss exploded; it stays as picked": (
        "refit：挑中的 {all} 個網路中有 {n} 個已沒有時間，或損失爆炸；維持挑中時的樣子"
    ),
    "the search sees {n} of the {all} samples, more would fill the memory": (
        "搜尋只看 {all} 個樣本中的 {n} 個，再多會塞滿記憶體"
    ),
    "the search sees {n} of the {all} samples, more would fill the memory; networks with convolutions learn from all": (
        "搜尋只看 {all} 個樣本中的 {n} 個，再多會塞滿記憶體；有卷積的網路則從全部樣本學習"
    ),
    "no network with convolutions that is tried keeps `max_params`: only networks of neurons are": (
        "試用的卷積網路都超過 `max_params`：只試了由神經元組成的網路"
    ),
    "within the budget no network with convolutions has learned; a larger one gives them time": (
        "在時間預算內沒有任何有卷積的網路學成；預算多一些，它們才有時間"
    ),
    "every value is missing": "全部缺值",
    "looks like an id: whole numbers in a row, each of them once": "看來像編號：連續的整數，各出現一次",
    "looks like an id or free text: {n} different words": "看來像編號或自由文字：{n} 種不同的文字",
    "column {name} may give the target away: {how}; --column {option}=ignore leaves it out": (
        "欄位 {name} 可能洩漏目標：{how}；--column {option}=ignore 可不使用它"
    ),
    "says the same as the target, in other words": "換個說法，與目標相同",
    "its {n} values determine the target": "它的 {n} 種值決定了目標",
    "where it is known, its {n} values determine the target": "在有值之處，它的 {n} 種值決定了目標",
    "its {n} values and its gaps determine the target": "它的 {n} 種值連同缺值決定了目標",
    "its {n} values are intervals of the target": "它的 {n} 種值各是目標的一個區間",
    "commas in column {names} are taken for decimal points": "欄位 {names} 的逗號視為小數點",
    "commas in column {names} are taken for marks between thousands": "欄位 {names} 的逗號視為千分位符號",
    "points in column {names} are taken for marks between thousands": "欄位 {names} 的點視為千分位符號",
    "numbers in column {names} with brackets, or a minus behind them, are taken for negative ones": (
        "欄位 {names} 中帶括號或後置負號的數字視為負數"
    ),
    "K and M beside the numbers of column {names} are taken for thousands and millions": (
        "欄位 {names} 數字旁的 K 與 M 視為千與百萬"
    ),
    "arrays of {shape} are taken for pictures with their channels first": (
        "形狀為 {shape} 的陣列視為通道在前的圖片"
    ),
    "each sample has exactly one of the {n} labels; if they are classes, give their numbers, y.argmax({axis})": (
        "每筆樣本都恰有 {n} 個標籤之一；如果它們是類別，請給類別編號：y.argmax({axis})"
    ),
    "{n} of {all} pixels are missing and count as 0": "{all} 個像素中有 {n} 個缺失，視為 0",
    "{mark} beside the numbers of column {names} is left out": "略去欄位 {names} 數字旁的 {mark}",
    "the first line is taken for a sample, not for names: columns are called column_1, column_2, …": (
        "第一行視為一筆樣本，而不是欄位名稱：欄位稱為 column_1、column_2、…"
    ),
    "numbers of column {name} such as {code} begin with 0; if they are codes, --column {option}=category takes "
    "them as words": "欄位 {name} 的數字（如 {code}）以 0 開頭；如果是代碼，用 --column {option}=category 可當作文字",
    "column {name} has dates that may be read in two ways; they are read month first, as in America. Written as "
    "2024-12-31 there is no doubt": "欄位 {name} 的日期有兩種讀法；這裡照美國習慣先月後日。寫成 2024-12-31 就沒有疑問",
    "column {name} has dates that may be read in two ways; they are read day first, as in Europe. Written as "
    "2024-12-31 there is no doubt": "欄位 {name} 的日期有兩種讀法；這裡照歐洲習慣先日後月。寫成 2024-12-31 就沒有疑問",
    "equals the target": "與目標相等",
    "equals the target, but for a factor": "與目標只差一個倍數",
    "equals the target, but for a factor and a constant": "與目標只差一個倍數和一個常數",
    "{those} add up to the target": "{those} 相加得出目標",
    "one threshold on it separates the classes": "以它的一個門檻就能分開兩個類別",
    "each value of the target has an interval of it for itself": "目標的每個值在它上面各占一個區間",
    "goes with the target in {share} % of the samples": "在 {share} % 的樣本中與目標一致",
    "orders the samples as the target does (rank correlation {n})": "樣本依它排序與依目標排序相同（等級相關 {n}）",
    "orders the samples as the target does, in reverse (rank correlation {n})": (
        "樣本依它排序與依目標排序相反（等級相關 {n}）"
    ),
    "orders {share} % of the samples as the target does (rank correlation {n})": (
        "{share} % 的樣本依它排序與依目標排序相同（等級相關 {n}）"
    ),
    "orders {share} % of the samples as the target does, in reverse (rank correlation {n})": (
        "{share} % 的樣本依它排序與依目標排序相反（等級相關 {n}）"
    ),
    "good on many tables": "在許多資料上表現良好",
    "random": "隨機產生",
    "as people design them": "人們常用的設計",
    "trained anew": "從頭訓練",
    "trained longer": "接著訓練更久",
    "trained anew in {n} folds": "分 {n} 折從頭訓練",
    "a block added behind layer {n}": "在第 {n} 層後加上一個區塊",
    "a block of layer {n} removed": "移除第 {n} 層的一個區塊",
    "rates changed": "改變了比率",
    "layer {n} widened from {now} to {then}": "第 {n} 層由 {now} 加寬到 {then}",
    "layer {n} narrowed from {now} to {then}": "第 {n} 層由 {now} 縮窄到 {then}",
    "a layer added behind layer {n}": "在第 {n} 層之後加了一層",
    "layer {n} removed": "移除第 {n} 層",
    "layer {n} made plain": "第 {n} 層改為一般層",
    "layer {n} made residual": "第 {n} 層改為殘差層",
    "activation changed to {name}": "活化函數改為 {name}",
    "column '{name}' names {kind} that are there, but this is a table of several columns: "
    "to learn from them, give a file with two columns, file names and labels": (
        "欄位「{name}」指出了存在的 {kind} 檔案，但這是有多個欄位的表格：若要從檔案學習，請給只有檔名與標籤兩欄的檔案"
    ),
    "column '{name}' names {kind}, but many of them are not there, or named twice: "
    "to learn from them, give a file with two columns, file names and labels": (
        "欄位「{name}」指出了 {kind} 檔案，但其中許多不存在或重複：若要從檔案學習，請給只有檔名與標籤兩欄的檔案"
    ),
    # by what a leaderboard is in order
    "the picked ones first": "選中的在前",
    "the picked ones first, for their averaged answers have a better {metric} than those of the first alone": (
        "選中的在前，因為它們平均後的{metric}優於只用第一個"
    ),
    "by the loss": "依損失",
    "by {metric}": "依{metric}",
    "by the loss, what was trained anew before the rest": "依損失，重新訓練的排在其他之前",
    "what was trained anew by the loss it has once it is as sure as it should be": "重新訓練的，依其把握校正之後的損失",
    "the rest by the loss": "其餘依損失",
    "what was not trained in folds, whose losses are those of fewer samples": "沒有分折訓練的，其損失只出自較少的樣本",
    # layers
    "max of {size}": "{size} 的最大值",
    "mean of {size}": "{size} 的平均值",
    "max of all": "全部的最大值",
    "mean of all": "全部的平均值",
    "{n} linear": "{n} 線性",
    "linear": "線性",
    "cross-entropy": "交叉熵",
    "sigmoid-cross-entropy": "sigmoid 交叉熵",
    "squared-error": "平方誤差",
    "focal": "焦點損失",
    "absolute-error": "絕對誤差",
    "huber": "Huber 損失",
    "quantile": "分位數損失",
    "date": "日期",
    "number": "數值",
    "category": "類別",
    "{layer} + input": "{layer} + 輸入",
    "{n} residual block of {width}": "{n} 個殘差區塊，寬 {width}",
    "{n} residual blocks of {width}": "{n} 個殘差區塊，寬 {width}",
    "{n} residual bottleneck of {width}": "{n} 個殘差瓶頸區塊，寬 {width}",
    "{n} residual bottlenecks of {width}": "{n} 個殘差瓶頸區塊，寬 {width}",
    "{n} plain block of {width}": "{n} 個無殘差的區塊，寬 {width}",
    "{n} plain blocks of {width}": "{n} 個無殘差的區塊，寬 {width}",
    "{n} plain bottleneck of {width}": "{n} 個無殘差的瓶頸區塊，寬 {width}",
    "{n} plain bottlenecks of {width}": "{n} 個無殘差的瓶頸區塊，寬 {width}",
    # verdicts of comparisons, and what there is to see of deep stacks
    "No difference that matters: none of {n} deeper networks of as many params is better or worse "
    "than the first one by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：{n} 個參數量相同而較深的網路與第一個相比，沒有一個明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "No difference that matters: none of the deeper networks of as many params is better or worse "
    "than the first one by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：參數量相同而較深的網路與第一個相比，並未明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "Yes, deeper is better here, at equal params: {first}.": "是，在參數量相同時，這裡越深越好：{first}。",
    "No, deeper is worse here, at equal params: {first}.": "否，在參數量相同時，這裡越深越差：{first}。",
    "Mixed, some depths are better, others worse, at equal params: {first}; {second}.": (
        "不一定，在參數量相同時，有些深度較好，有些較差：{first}；{second}。"
    ),
    "No difference that matters: none of {n} wider layers is better or worse "
    "than the narrowest by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：{n} 個較寬的層與最窄的相比，沒有一個明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "No difference that matters: none of the wider layers is better or worse "
    "than the narrowest by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：較寬的層與最窄的相比，並未明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "Yes, wider is better here: {first}.": "是，這裡越寬越好：{first}。",
    "No, wider is worse here: {first}.": "否，這裡越寬越差：{first}。",
    "Mixed, some widths are better, others worse: {first}; {second}.": (
        "不一定，有些寬度較好，有些較差：{first}；{second}。"
    ),
    "No difference that matters: none of {n} stacks with residuals is better or worse "
    "than its plain one by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：{n} 個有殘差的網路與同深度的一般網路相比，沒有一個明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "No difference that matters: none of the stacks with residuals is better or worse "
    "than its plain one by more than {margin} % of its errors, beyond chance. The largest, of {arm}: {gain}, 95 % interval from {low} to {high}, p = {p}.": (
        "沒有值得在意的差別：有殘差的網路與同深度的一般網路相比，並未明確相差超過其誤差的 {margin}%。"
        "差距最大的是 {arm}：{gain}，95 % 信賴區間從 {low} 到 {high}，p = {p}。"
    ),
    "Yes, residuals help here: {first}.": "是，殘差在這裡有幫助：{first}。",
    "No, residuals do harm here: {first}.": "否，殘差在這裡有害：{first}。",
    "Mixed, residuals help at some depths and do harm at others: {first}; {second}.": (
        "不一定，殘差在某些深度有幫助，在另一些深度有害：{first}；{second}。"
    ),
    "{arm} has fewer wrong answers than {rival}, by {n} points ({own} against {other}, p = {p})": (
        "{arm} 的錯誤答案比 {rival} 少 {n} 個百分點（{own} 對 {other}，p = {p}）"
    ),
    "{arm} has more wrong answers than {rival}, by {n} points ({own} against {other}, p = {p})": (
        "{arm} 的錯誤答案比 {rival} 多 {n} 個百分點（{own} 對 {other}，p = {p}）"
    ),
    "{arm} has a lower RMSE than {rival}, by {n} ({own} against {other}, p = {p})": (
        "{arm} 的 RMSE 比 {rival} 低 {n}（{own} 對 {other}，p = {p}）"
    ),
    "{arm} has a higher RMSE than {rival}, by {n} ({own} against {other}, p = {p})": (
        "{arm} 的 RMSE 比 {rival} 高 {n}（{own} 對 {other}，p = {p}）"
    ),
    "{n} points fewer": "少 {n} 個百分點",
    "{n} points more": "多 {n} 個百分點",
    "Not known yet: {n} divisions do not rule out that {arm} differs by {gain} points, which would matter; more of "
    "them (--seeds) say more.": "還不能確定：{n} 次劃分無法排除 {arm} 相差 {gain} 個百分點（這樣的差距值得在意）；增加次數會更清楚。",
    "Not known yet: {n} divisions do not rule out that {arm} differs by {gain}, which would matter; more of "
    "them (--seeds) say more.": "還不能確定：{n} 次劃分無法排除 {arm} 相差 {gain}（這樣的差距值得在意）；增加次數會更清楚。",
    "{n} lower": "低 {n}",
    "{n} higher": "高 {n}",
    "{n} plain": "{n} 一般",
    "{n} residual": "{n} 殘差",
    "{kind}: all depths learn ({shallow} layers: {own} right; {deep} layers: {other} right); of {n} layers "
    "the first begins with a gradient {fall} as large as the last one before the output.": (
        "{kind}：所有深度都學會了（{shallow} 層：答對 {own}；{deep} 層：答對 {other}）；{n} 層時，第一層起初的梯度是輸出層之前最後一層的 {fall}。"
    ),
    "{kind}: {those} layers learn, {others} do not; of {n} layers the first begins with a gradient {fall} as "
    "large as the last one before the output.": "{kind}：{those} 層學會了，{others} 層沒有；{n} 層時，第一層起初的梯度是輸出層之前最後一層的 {fall}。",
    "{kind}: no depth learns (at best {share} right); of {n} layers the first begins with a gradient {fall} as "
    "large as the last one before the output.": "{kind}：沒有一種深度學會（最多答對 {share}）；{n} 層時，第一層起初的梯度是輸出層之前最後一層的 {fall}。",
    "{n} times": "{n} 倍",
    "zero times": "零倍",
    "beyond numbers": "無法以數字表示的倍數",
    "sigmoid, plain": "sigmoid（一般）",
    "relu, plain": "relu（一般）",
    "relu, normalized": "relu（正規化）",
    "relu, normalized, residual": "relu（正規化、殘差）",
}
"""Sentences of the journal, by the form in which it writes them; see `words.translated`."""

SENTENCES = PAGE | JOURNAL
