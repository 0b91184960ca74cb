"""05. torchvision 里有现成的数据集

第 2 课里，你自己写了一个 Dataset。许多有名的图片数据集，
torchvision 都已经写好了 Dataset：MNIST、FashionMNIST、CIFAR10、ImageNet 等等。
这样的 Dataset 会检查文件、打开文件，多数还能下载文件。
（用 ImageNet 要先注册，文件也要自己下载。）

本课用的是 CIFAR-10，后面大多数课也用它：60,000 张彩色图片，
每张 32x32 像素。图片里的东西分属十个类别，比如“frog”（青蛙）
和“ship”（船）。其中 50,000 张是训练图片，供网络学习；
10,000 张是测试图片，用来检验网络碰到没见过的图片时，答得有多准。

（torchvision 也有训练好的网络，放在 torchvision.models 里，见第 11 课。）

运行大约需要 5 秒，用真正的 CIFAR-10 大约需要 7 秒。

    python lessons/zh/05_torchvision_datasets.py           运行本课
    tensorboard --logdir logs/05_torchvision_datasets      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import inspect

import numpy as np
import torch
import torchvision
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import DATA, new_run, print_where_to_look

PICTURES_SHOWN = 32    # 每个类别显示的张数：四行，每行八张
ANIMALS = ["bird", "cat", "deer", "dog", "frog", "horse"]

LOOK_AT = """
- Images 标签页，分组“5 classes”：每个类别的一部分图片。
  点一下卡片上的图片，就能放大。哪两个类别最难分清？
- 分组“5 means”：每个类别所有图片的平均图。
  哪几张还看得出是什么东西？还有什么能让你认出类别？
"""

# %% torchvision.datasets.CIFAR10 有五个参数
arguments = list(inspect.signature(torchvision.datasets.CIFAR10).parameters)
print("the arguments:", arguments)
# -> the arguments: ['root', 'train', 'transform', 'target_transform', 'download']

# root：你磁盘上放这些文件的文件夹，下载的文件也放到这里。

# train：True（默认值）给训练图片，False 给测试图片。

# transform：一个函数。每张图片都先交给它，你拿到的是它返回的结果。
# 通常用来把图片变成张量（第 4 课）。

# target_transform：也一样，只不过处理的是图片的类别编号。
# 例如，可以把十个类别变成两个：动物或者交通工具（见后文）。

# download：True 表示文件夹里还没有文件时就下载，共 170 MB。
# False（默认值）表示从不下载。

# 所以，多数程序是这样开头的：
#
#     train_data = torchvision.datasets.CIFAR10("data", train=True, download=True)
#     test_data = torchvision.datasets.CIFAR10("data", train=False, download=True)
#
# 没有文件又不下载，就会报错。（DATA 就是 data 文件夹。）
try:
    torchvision.datasets.CIFAR10(DATA / "no such folder", train=True, download=False)
except RuntimeError as error:
    print("without the files:", error)
# -> without the files: Dataset not found or corrupted. You can use download=True to
#    download it

# %% 课程自带的 cifar10() 不联网也能用
# 你可能上不了网，下载也可能很慢。所以这套课程都调用自带的函数，
# 也就是 shared/datasets.py 里的 cifar10()。它按下面的顺序找图片，哪里先找到，
# 就用哪里的。每次调用都会打印一行“Data: ...”，告诉你用的是哪一处：
#
# 1. data/ 里的官方文件。这时你得到的就是 torchvision.datasets.CIFAR10。
# 2. data/cifar10/ 里的一个个图片文件夹。
# 3. 互联网：从网上下载官方文件，
#    并确认文件内容没有改动过。
# 4. 替代图（程序画的）：还是这十个类别，由本项目的程序画成。
#    张数更少，也更容易认。
#    所以从替代图上，看不出网络在 CIFAR-10 上会答得多准。
#
# 不管图片从哪里来，用法都和 torchvision 的 CIFAR10 一样。
# cifar10() 同样有参数 train、transform 和 target_transform。它没有参数 `root`
# （文件夹总是 data/），也没有参数 `download`（见第 3 处）。
#
# 环境变量 LESSONS_OFFLINE 是 1 时，cifar10() 就不下载。在终端里设置这个变量，
# 对之后在这个终端里启动的课都有效：Linux 和 macOS 上用 `export LESSONS_OFFLINE=1`，
# Windows 的 PowerShell 里用 `$env:LESSONS_OFFLINE = 1`。
#
# 如果下载很慢，就用别的办法拿到 cifar-10-python.tar.gz，放进 data/。
# 本课会自动解压。
train_data = cifar10(train=True)
test_data = cifar10(train=False)
print("training pictures for each test picture:", len(train_data) / len(test_data))
# -> training pictures for each test picture: 5.0

# %% 样本就是图片加上类别的编号
picture, target = train_data[0]
print("first picture:", picture)
# -> first picture: <PIL.Image.Image image mode=RGB size=32x32 at 0x...>

# 这个编号叫作 target（目标），因为网络要给出的答案就是它。
# target 就是第 2 课的标签，只不过写成了数字。
print("its target:", target)
# -> its target: 6

# %% classes 由编号查名字，class_to_idx 由名字查编号
print("classes:", train_data.classes)
# -> classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse',
#    'ship', 'truck']
print("name of target 6:", train_data.classes[6])
# -> name of target 6: frog
print("number of frog:", train_data.class_to_idx["frog"])
# -> number of frog: 6

# 为什么用编号？网络会给出十个数，每个类别一个，
# target 说的就是其中哪一个应该最大。

# %% data 和 targets 里是全部数据
# data 是一整个数组，里面都是 8 位整数，
# 形状是（图片张数，高，宽，通道）。
print("one picture in data:", train_data.data[0].shape, train_data.data.dtype)
# -> one picture in data: (32, 32, 3) uint8
same = np.array_equal(train_data.data[0], np.array(picture))
print("data[0] holds the pixels of the first picture:", same)
# -> data[0] holds the pixels of the first picture: True

# targets 是一个列表，存着每张图片的类别编号。
print("as many targets as pictures:", len(train_data.targets) == len(train_data.data))
# -> as many targets as pictures: True
counts = []
for number in range(10):
    counts.append(train_data.targets.count(number))
print("share of each class:", np.array(counts) / len(train_data))
# -> share of each class: [0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1]

# 有了调试器，不写 print 也能看到这些。在 VS Code 或 PyCharm 里，
# 点一下行号左边的空白，会出现一个红点，这就是断点。然后启动本课，
# 要点“Debug”，不要点“Run”。程序会停在那一行，“Variables”窗口里会有 `train_data`，
# 展开就能看到 `classes`、`class_to_idx` 和 `targets`。
#
# 没有这样的编辑器，就在程序里写一行 `breakpoint()`。程序会停在那里，
# 终端等你输入：`p train_data.classes` 是打印，`c` 是继续运行。

# %% 每次取图片时，transform 才运行
# 这两步在第 4 课讲过。
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
as_tensors = cifar10(train=False, transform=to_tensor)
tensor, target = as_tensors[0]    # 宽 32，高 32 -> (3, 32, 32)
print("first test picture:", train_data.classes[target])
# -> first test picture: cat
print("the cat is a tensor now:", tuple(tensor.shape), tensor.dtype)
# -> the cat is a tensor now: (3, 32, 32) torch.float32

# as_tensors[0] 会运行 transform，每次都重新运行。as_tensors.data[0] 不会：
# 它给出的是原来存放的图片，都是整数，通道在最后。
print("what is stored has not changed:", as_tensors.data[0].shape, as_tensors.data.dtype)
# -> what is stored has not changed: (32, 32, 3) uint8


# %% target_transform 改变类别的编号
def is_animal(target):
    """把十个类别变成两个：1 是动物，0 是交通工具。"""
    return int(train_data.classes[target] in ANIMALS)


print("a cat (class 3) becomes:", is_animal(3))
# -> a cat (class 3) becomes: 1
print("a ship (class 8) becomes:", is_animal(8))
# -> a ship (class 8) becomes: 0

animals = cifar10(train=False, target_transform=is_animal)
picture, target = animals[0]
print("target of the cat:", target)
# -> target of the cat: 1
print("its target as it is stored:", animals.targets[0])
# -> its target as it is stored: 3

# %% 在 TensorBoard 里看每个类别的图片，还有平均图
# 平均图里每个位置的像素，是该类别所有图片在这个位置的像素的平均值。
# 这些平均值彼此很接近，平均图的颜色就发灰，所以要把数值范围拉开：
# 最小的值变成 0，最大的值变成 1。
run = new_run(__file__, drawn=train_data.drawn)
targets = np.array(train_data.targets)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    for number, name in enumerate(train_data.classes):
        # 这个类别的所有图片：在 NumPy 里，`targets == number` 是一个数组，
        # 每张图片对应一个 True 或 False，[ ] 挑出 True 的那些。
        of_class = train_data.data[targets == number]

        # of_class 的形状是（图片，高，宽，通道）。
        # add_images 要求通道在高之前。
        pictures = torch.from_numpy(of_class[:PICTURES_SHOWN])    # 32 张 (32, 32, 3)
        pictures = enlarge(pictures.permute(0, 3, 1, 2))          # -> (32, 3, 128, 128)
        writer.add_images(f"5 classes/{number} {name}", pictures)

        # axis=0：沿着图片这一维取平均，得到一张图。
        mean = torch.from_numpy(of_class.mean(axis=0))            # (32, 32, 3)
        mean = (mean - mean.min()) / (mean.max() - mean.min())    # 0 到 1
        mean = enlarge(mean.permute(2, 0, 1))                     # -> (3, 128, 128)
        writer.add_image(f"5 means/{number} {name}", mean)
print_where_to_look(run, LOOK_AT)

# 试一试：
# - 在打印“its target”的那一行上面写 `breakpoint()`。
#   `p train_data.targets[:5]` 打印什么？`p train_data.classes[9]` 呢？
# - 写一个 target_transform，给出类别名字的长度：“frog”就是 4。
#   这样一来，不同的 target 有多少个？
# - 用 `cifar10(train=True, transform=v2.RandomVerticalFlip(1))` 创建 train_data，
#   图片就会上下颠倒。TensorBoard 里的图片颠倒了吗？为什么？
