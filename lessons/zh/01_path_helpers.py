"""01. 认路：文件夹里有哪些文件，包里有哪些名字

欢迎！这十二课从一个装着图片的文件夹讲起。学到最后，你会亲手训练出一个神经网络，
让它说出图片上是什么。神经网络也叫模型，说到底就是一个函数，
只不过里面有许许多多的数。训练就是一点一点地调整这些数，
直到网络在大量的例子上都能给出好答案。

你要会 Python。不懂机器学习没关系，
没有显卡也没关系。

每一课都是一个脚本。先读，再运行，看看它打印了什么；
然后改动一行，再运行一遍。每课末尾都有几道“试一试”，
答案在 lessons/zh/README.md 里。

`# %%` 标出单元格的开头，VS Code 和 PyCharm 可以逐个单元格运行脚本。
想用 Jupyter，就运行 `make notebook N=1`，把第 1 课转成 notebook。

这第一课回答两个天天都会碰到的问题：

- 这个文件夹里有哪些文件？（os.listdir、os.path.join、pathlib）
- 这个包里有什么？这个函数是做什么的？（dir、help）

运行大约需要 3 秒。第一次如果要下载图片（47 MB），时间会长一些。

    python lessons/zh/01_path_helpers.py           运行本课

也可以输入 `make lesson N=1 ZH=1`。第一次，它会把各课需要的东西都装进 .venv。
.venv 是一个环境，也就是各课专用的一套 Python。要是自己输入 `python` 命令，
就要先运行 `source .venv/bin/activate`。（Windows 和别的环境怎么办，见 README.zh.md。）
"""

# %% 准备
# `shared` 文件夹和 `lessons` 并列，放的是多课共用的代码。
# 按 README.md 装好课程以后，Python 就知道到哪里去找它。
from shared.errors import begin_lesson

# 每一课开头都有这个调用。如果磁盘满了，或者缺了文件夹，你看到的不是长长的报错信息，
# 而是简单的两行：出了什么问题，该怎么办。
# 代码本身的错误，例如变量名拼错，还是按 Python 平时的样子报错。
# （这个调用写在 `import torch` 前面，因为它要做一项设置，
# 而 PyTorch 一启动就会读取这项设置。）
begin_lesson()

import os
import pydoc
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import torch    # 这就是 PyTorch，导入要几秒钟

from shared.datasets import ants_and_bees

# %% 数据集里的图片，就是文件夹里的文件
# 数据集就是收集在一起的例子。这个数据集里是蚂蚁和蜜蜂的图片。
#
# `ants_and_bees` 先到文件夹 data/hymenoptera_data 里找照片，
# 没有就下载（47 MB）。连不上网，就画一些简单的图片来代替，
# 这样，每一课在哪里都能运行。程序画的这些图片，叫作替代图。
# 你用的是哪一种、放在哪里，这个函数会打印出来。
folder, drawn = ants_and_bees()    # 文件夹的路径，以及 True 或 False

print("The pictures are drawn, not photographs:", drawn)
# -> The pictures are drawn, not photographs: ...

# 带箭头的注释（# ->）写的是上面那个 print 打印的内容。三个点代表任意内容：
# 在那个位置，你的输出可能不一样。有一个测试会运行所有的课，
# 拿实际打印的内容和这些注释核对，所以注释信得过。

# %% os.path.join 用本机的分隔符拼接路径
# 分隔符用来隔开路径里的各级名字，例如 data/hymenoptera_data 里的 `/`。
#
# 这个文件夹分两部分：`train` 里的图片供网络学习，
# `val`（validation 的缩写，意思是“验证”）里是另一些图片，用来测试。
# 各课都把它们叫作测试图片。（验证和测试有什么不同，第 10 课会讲。）
train = os.path.join(folder, "train")
print("folder of the pictures to learn from:", train)
# -> folder of the pictures to learn from: ...train

# 分隔符在 Windows 上是 `\`，在其他系统上是 `/`，Python 里叫 os.sep。
# （`folder` 是一个 Path 对象，下面会讲。str() 把它变成字符串。）
by_hand = str(folder) + os.sep + "train"
print("joined by hand equals os.path.join:", by_hand == train)
# -> joined by hand equals os.path.join: True


# %% os.listdir 给出的名字没有固定顺序，要自己排序
def visible_names(path):
    """返回文件夹里各项的名字，排好序，不含隐藏文件。"""
    # os.listdir 返回一个列表，里面只有名字，前面不带文件夹。
    # 名字的顺序因机器而异。想要“第一个文件”，就得先排序。
    names = sorted(os.listdir(path))

    # 名字以点开头的文件是隐藏文件。有些程序会往文件夹里放这种文件，
    # 例如 macOS 会放 .DS_Store。它们不是图片。
    return [name for name in names if not name.startswith(".")]


# `train` 里，每个类别有一个文件夹。类别就是网络要分清的几种东西，
# 这里是蚂蚁和蜜蜂。（英文叫 class，但和 Python 的 class 不是一回事。）
classes = visible_names(train)
print("classes:", classes)
# -> classes: ['ants...', 'bees...']

ants = os.path.join(train, classes[0])
names = visible_names(ants)
print("first two pictures of ants:", names[:2])
# -> first two pictures of ants: ['0013035.jpg', '...jpg']

# os.listdir 只给了名字。要打开文件，还得有路径。
path = os.path.join(ants, names[0])
print("path of the first picture:", path)
# -> path of the first picture: ...0013035.jpg

# %% pathlib 用对象做同样的事，读起来更清楚
# Path 是代表路径的对象，用 / 就能把路径的各段接起来。
print("Path(ants) / name is the same path:", Path(ants) / names[0] == Path(path))
# -> Path(ants) / name is the same path: True

print("name of the file:", Path(path).name)
# -> name of the file: 0013035.jpg

print("suffix, which says what kind of file it is:", Path(path).suffix)
# -> suffix, which says what kind of file it is: .jpg

print("the file is in the folder:", Path(path).parent.name)
# -> the file is in the folder: ants...

# iterdir 相当于 pathlib 版的 listdir。它给出完整路径，同样没有固定顺序。
print("iterdir gives this path, too:", Path(path) in list(Path(ants).iterdir()))
# -> iterdir gives this path, too: True

# %% dir() 列出模块或包里的名字
# 模块（module）是可以 import 的 Python 代码文件，包（package）是装着模块的文件夹。
# torch 是一个包，torch.cuda 是它里面的一个包。
print("torch holds more than 1000 names:", len(dir(torch)) > 1000)
# -> torch holds more than 1000 names: True

# 太多了，读不过来，那就搜一搜。CUDA 是 NVIDIA 的软件，用来在 NVIDIA 显卡上做计算。
# torch 里有没有和它有关的部分？
found = [name for name in dir(torch) if name.startswith("cuda")]
print("names in torch that begin with cuda:", found)
# -> names in torch that begin with cuda: [...'cuda'...]

# 这个部分能不能告诉我们，有没有这样的显卡可用？
found = [name for name in dir(torch.cuda) if "available" in name]
print("names in torch.cuda that contain available:", found)
# -> names in torch.cuda that contain available: [...'is_available'...]

# 不带参数时，dir() 列出这里已经有的名字：你在上面定义或导入的，
# 还有 Python 自己建的几个，例如 __name__。
print("the name `classes` exists here:", "classes" in dir())
# -> the name `classes` exists here: True

print("the name `bananas` exists here:", "bananas" in dir())
# -> the name `bananas` exists here: False

# %% help() 给出函数的说明
# 在终端里启动 `python`，输入 `import torch`，再输入 help(torch.cuda.is_available)。
# 注意，传进去的是函数本身：名字后面要是加上 ()，就成了调用。
#
# 在终端里，help() 显示一页说明，然后等你按 q 键。脚本里要是这样写，就会停在那里不动。
# 所以这里向 pydoc（help() 背后的模块）要来同样的内容。（末尾有一段关于 `fork` 的说明，
# 你用不着。）
function = torch.cuda.is_available
print(pydoc.render_doc(function, title="Help on %s:", renderer=pydoc.plaintext))
# -> Help on function is_available in module torch.cuda:
#
#    is_available() -> bool
#        Return a bool indicating if CUDA is currently available.
#        ...

# %% torch.cuda.is_available() 告诉你 PyTorch 能不能用 GPU
# GPU 是显卡上的处理器，能同时做许多计算，所以网络在 GPU 上训练得更快。
# （AMD 的显卡，在 PyTorch 里也叫 cuda。）
print("PyTorch can use a GPU of NVIDIA or AMD:", torch.cuda.is_available())
# -> PyTorch can use a GPU of NVIDIA or AMD: ...

# 其他厂商的 GPU 另有名字：Apple 的叫 `mps`，Intel 的叫 `xpu`。
# torch.accelerator 比较新，会把各家的 GPU 都查一遍。
print("PyTorch can use a GPU of any maker:", torch.accelerator.is_available())
# -> PyTorch can use a GPU of any maker: ...

# 设备（device）指计算机里做计算的部件，例如 CPU 和 GPU。
# CPU 总是有的，GPU 不一定有。
if torch.accelerator.is_available():
    device = torch.accelerator.current_accelerator()
else:
    device = torch.device("cpu")
print("device on which lesson 12 will train:", device)
# -> device on which lesson 12 will train: ...

# 向别人请教 PyTorch 的问题时，请附上这两个版本号。
# torchvision 是 PyTorch 处理图片的包。version("torchvision") 不导入这个包，也能查到版本号。
print("version of torch:", torch.__version__)
# -> version of torch: ...
print("version of torchvision:", version("torchvision"))
# -> version of torchvision: ...

# %% 拿到数据集，先看一遍再用
# 现在把前几个单元格学到的用起来：列出数据集的所有文件夹，数一数每个文件夹里，
# 各种后缀的文件有多少。每拿到一个新数据集，都先这样看一遍，是个好习惯。
for part in ("train", "val"):
    for class_name in visible_names(os.path.join(folder, part)):
        files = visible_names(os.path.join(folder, part, class_name))
        suffixes = Counter(Path(file).suffix for file in files)
        print(f"{part}, {class_name}: {len(files)} files, by suffix:", dict(suffixes))
# -> train, ants...: ... files, by suffix: {'.jpg': ...}
#    train, bees...: ... files, by suffix: {'.jpg': ...}
#    val, ants...: ... files, by suffix: {'.jpg': ...}
#    val, bees...: ... files, by suffix: {'.jpg': ...}

# 如果你用的是照片，`train` 的蚂蚁里有一个 .gif 文件：imageNotFound.gif。
# 打开看看：里面没有蚂蚁，只有一句 "this image could not be found"
# （找不到这张图片）。不能让网络去学它，所以第 2 课会把它去掉。

# 想自己动手写这样的代码吗？每课都有练习，写得对不对，练习会自己检查。
print("Exercises: make exercise N=1, or python lessons/exercises/01_path_helpers.py")
# -> Exercises: make exercise N=1, or python lessons/exercises/01_path_helpers.py

# 试一试：
# - 打印 `dir(os.path)`。其中哪个函数能给出文件的大小？
#   第一张蚂蚁图片有多少字节？
# - 打印 `dir(names)`。其中哪个方法能给列表本身排序？
#   它的 help() 是怎么说的？它和 `sorted(names)` 有什么不同？
# - 打印 torch 里含有 "load" 的名字。
#   help(torch.load) 说这个函数是做什么的？
