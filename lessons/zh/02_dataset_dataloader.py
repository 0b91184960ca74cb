"""02. Dataset 管单个样本，DataLoader 把样本凑成批次

样本是供网络学习的一个例子。这一课里，样本是一张图片加上它的标签，
标签就是图中事物的名称。处理样本的工作，PyTorch 分给两个类：

- Dataset 回答两个问题：一共有多少个样本？第 i 个样本是什么？
- DataLoader 向 Dataset 要样本，再把样本凑成批次。
  批次就是一次送进网络的几个样本。

打个比方：Dataset 是一副扑克牌，
DataLoader 负责洗牌，再几张几张地发出去。

最后，你会在 TensorBoard 里看到这些批次。TensorBoard 是一个程序，
在浏览器里显示各课写下的内容，第 3 课会细讲。

运行大约需要 7 秒。第一次如果要下载 CIFAR-10（170 MB），时间会长一些。

    python lessons/zh/02_dataset_dataloader.py           运行本课
    tensorboard --logdir logs/02_dataset_dataloader      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2    # 两代接口中较新的一代，见第 4 课

from shared.datasets import AntsBees, ants_and_bees, cifar10, enlarge
from shared.paths import new_run, print_where_to_look

# 本课的设置。现在可以先跳过：用到的地方都会解释。
SUFFIXES = (".jpg", ".jpeg", ".png")    # 其他后缀的文件一律跳过
SEED = 0             # 随机数从哪里开始
EPOCHS = 2           # 数据要过几遍
BATCHES_SHOWN = 4    # 每轮在 TensorBoard 里显示几个批次；再多只是费时间
WORKERS = 2          # 读图片的进程数；如果机器只有一个核心，就设成 1

# 本课结束时会打印这段文字，告诉你在 TensorBoard 里看什么。
LOOK_AT = """
- Images 标签页，分组“2 shuffled”：里面有两张卡片，每张都由图片、标题和滑块组成。
  一开始，两张卡片都停在最后一个 step，也就是第 4 个批次。把两个滑块都拖到最左边，
  即 step 1。第 1 轮（epoch 1）和第 2 轮（epoch 2）开头的图片一样吗？
- 点一下卡片上的图片，就能放大。同一个批次里的东西，
  全属于同一类，还是分属好几类？
"""


# %% Dataset 是实现了 __len__ 和 __getitem__ 的类
# 我们这个 Dataset 管一个文件夹里的图片，这些图片的标签都相同。
class MyData(Dataset):
    def __init__(self, root_dir, label_dir, transform=None):
        self.root_dir = root_dir      # 例如 data/hymenoptera_data/train
        self.label_dir = label_dir    # 其中的一个文件夹，文件夹名就是标签：ants
        self.transform = transform    # 用来改变每张图片的函数，也可以是 None

        folder = Path(root_dir) / label_dir
        if not folder.is_dir():
            # 这个数据集的有些版本里，文件夹叫 ants_image。
            folder = Path(root_dir) / f"{label_dir}_image"

        # 这里只收集路径，用到哪张图片才打开哪张，
        # 所以数据集可以比内存还大。
        self.paths = []
        for path in sorted(folder.iterdir()):
            # 跳过隐藏文件（第 1 课）和其他类型的文件。
            # 蚂蚁照片里混着一个 imageNotFound.gif，那可不是蚂蚁。
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                self.paths.append(path)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        # PIL 是打开图片的库，Image 就来自 PIL。为什么转成 RGB，见下文。
        picture = Image.open(self.paths[index]).convert("RGB")
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, self.label_dir


# 本课会启动别的进程，这样的程序要把代码放在函数里（原因见文件末尾附近的注释，
# 就在 `if __name__` 上面）。所以请整课一起运行，不要一个单元格一个单元格地运行：
# 本课里的 `# %%` 只用来分节。
def main():
    # %% len() 和 [i] 调用的就是这两个方法
    folder, _ = ants_and_bees()
    train = folder / "train"
    ants = MyData(train, "ants")

    print("pictures of ants:", len(ants))    # len(ants) 会调用 ants.__len__()
    # -> pictures of ants: ...

    picture, label = ants[0]                 # ants[0] 会调用 ants.__getitem__(0)
    print("picture 0:", picture)
    # -> picture 0: <PIL.Image.Image image mode=RGB size=768x512 at 0x...>
    print("label 0:", label)
    # -> label 0: ants

    # picture.show() 会打开一个窗口，显示这张图片。

    # Subset 取出 Dataset 的一部分样本，自己也是 Dataset。用 for 遍历 Dataset，
    # 就是依次取第 0、1、2……个样本。这时用不到 __len__：一直取到 [i] 抛出 IndexError，
    # 这里是 [5]。Python 捕获这个错误，循环就结束了。
    labels = []
    for _, label in Subset(ants, range(5)):
        labels.append(label)
    print("labels of the first five:", labels)
    # -> labels of the first five: ['ants', 'ants', 'ants', 'ants', 'ants']

    # 后面几课会导入一个功能相同的类：AntsBees。
    same = ants[0][0] == AntsBees(train, "ants")[0][0]
    print("picture 0 equals that of AntsBees:", same)
    # -> picture 0 equals that of AntsBees: True

    # %% convert("RGB") 让每张图片都有三个通道
    # 在一个通道里，每个像素有一个数。彩色图片有三个通道：
    # 红、绿、蓝（RGB）。灰度图片只有一个通道，
    # 带透明部分的 PNG 有四个。网络要求所有图片的通道数都相同，
    # 所以一律转成 RGB。
    grey = Image.new("L", size=(100, 83))    # PIL 用 "L" 表示灰度
    print("channels of a grey picture:", grey.getbands())
    # -> channels of a grey picture: ('L',)
    print("channels after convert:", grey.convert("RGB").getbands())
    # -> channels after convert: ('R', 'G', 'B')

    # %% 两个数据集可以相加，合成一个 ConcatDataset
    bees = MyData(train, "bees")
    both = ConcatDataset([ants, bees])
    print("ConcatDataset has all samples:", len(both) == len(ants) + len(bees))
    # -> ConcatDataset has all samples: True

    # both[0] 是一对值：图片和标签。both[0][1] 就是标签。
    print("label of its first sample:", both[0][1])
    # -> label of its first sample: ants
    print("label of the sample after the last ant:", both[len(ants)][1])
    # -> label of the sample after the last ant: bees

    # 用加号也一样：
    print("ants + bees is a:", type(ants + bees).__name__)
    # -> ants + bees is a: ConcatDataset

    # 用这个办法也能增加训练数据：把同样的图片稍微改一改，再加进来。
    # （第 4 课有更好的办法：每次取图片时都重新改一遍。）

    # %% 变换把图片变成别的东西，这里是变成张量
    # 张量是 PyTorch 的数组：可以是一行数（一维），可以是有行有列的表格（二维），
    # 维数也可以更多。变换是一个对象，能像函数那样调用：
    # 传给它一张图片，它返回另一张图片，或者一个张量。
    # Compose 把几个变换串起来。第 4 课专讲变换。
    # （ToImage 里的 Image 不是 PIL 的 Image，
    # 而是 torchvision 自己的一种张量，专门装图片。）
    to_tensor = v2.Compose([
        v2.ToImage(),                             # 图片 -> 张量，数值 0...255
        v2.ToDtype(torch.float32, scale=True),    # 0...255 -> 浮点数，0...1
    ])
    # 任意大小 -> 高 83 像素，宽 100 像素。（换成别的大小也行。
    # PIL 的大小是宽在前，上面就是这样；torchvision 的是高在前。）
    resize = v2.Resize((83, 100))
    resize_to_tensor = v2.Compose([resize, to_tensor])

    # 我们的 Dataset 会用这个变换处理每张图片。这里取 24 张蚂蚁图片就够了。
    few = Subset(MyData(train, "ants", resize_to_tensor), range(24))
    tensor, label = few[0]

    # 张量的形状，就是张量在每一维上的大小：通道、高、宽。
    print("shape of sample 0:", tensor.shape)
    # -> shape of sample 0: torch.Size([3, 83, 100])

    # %% DataLoader 调用 __getitem__，再把样本拼到一起
    # 先自己动手拼一个批次，共三张图片。torch.stack 把几个张量叠成一个，
    # 这些张量的形状必须相同，所以前面把图片都缩放到了同样的大小。
    by_hand = torch.stack([few[0][0], few[1][0], few[2][0]])
    print("shape of the batch by hand:", by_hand.shape)    # 3 个样本，每个 (3, 83, 100)
    # -> shape of the batch by hand: torch.Size([3, 3, 83, 100])

    # DataLoader 做的是同一件事。`next(iter(loader))` 取到的，
    # 就是 for 循环遍历 loader 时最先拿到的批次。
    loader = DataLoader(few, batch_size=3)
    pictures, labels = next(iter(loader))
    print("by hand equals DataLoader:", torch.equal(by_hand, pictures))
    # -> by hand equals DataLoader: True

    # 标签是单词，单词放在元组里。
    # （网络需要的是数：第 5 课里，每个类别都有一个编号。）
    print("labels of the batch:", labels)
    # -> labels of the batch: ('ants', 'ants', 'ants')

    # 数字则合成一个张量。（列表有长度，又能用 [i] 取值，所以也能当 Dataset。）
    loader = DataLoader([7, 8, 9], batch_size=3)
    print("numbers in a batch:", next(iter(loader)))
    # -> numbers in a batch: tensor([7, 8, 9])

    # %% DataLoader 最常用的是这五个参数
    loader = DataLoader(
        dataset=few,
        batch_size=10,      # 一个批次有多少个样本
        shuffle=True,       # 每次换个顺序；False：按 Dataset 里的顺序
        num_workers=0,      # 另开几个进程读样本；0：由当前进程自己读
        drop_last=False,    # 最后一个批次即使样本不够，也保留
    )
    for pictures, _ in loader:
        print("shape of a batch:", pictures.shape)
    # -> shape of a batch: torch.Size([10, 3, 83, 100])
    #    shape of a batch: torch.Size([10, 3, 83, 100])
    #    shape of a batch: torch.Size([4, 3, 83, 100])

    # 这四个数依次是图片数、通道数、高、宽，合称 NCHW。

    # %% 所有样本过一遍是一轮（epoch），处理一个批次是一次迭代（iteration）
    # 上面的循环就是一轮，因为 24 个样本都过了一遍。
    # 这一轮有三次迭代：10 + 10 + 4 个样本。len() 返回迭代次数。
    print(f"iterations with batch_size {loader.batch_size}:", len(loader))
    # -> iterations with batch_size 10: 3

    # 如果最后一个批次比别的小，drop_last=True 就把它丢掉。
    loader = DataLoader(few, batch_size=10, drop_last=True)
    print("iterations with batch_size 10, drop_last=True:", len(loader))
    # -> iterations with batch_size 10, drop_last=True: 2

    print("iterations with batch_size 12:", len(DataLoader(few, batch_size=12)))
    # -> iterations with batch_size 12: 2
    print("iterations with batch_size 24:", len(DataLoader(few, batch_size=24)))
    # -> iterations with batch_size 24: 1
    print("iterations with batch_size 1, the default:", len(DataLoader(few)))
    # -> iterations with batch_size 1, the default: 24

    # %% shuffle=True 让每一轮都换一个顺序
    # 为什么要打乱？`both` 里先是所有的蚂蚁，然后是所有的蜜蜂。
    # 网络要是有一阵子只见到蜜蜂，就会把蚂蚁忘掉。
    #
    # 下面用数字代替图片，好让你看清顺序：
    numbers = [0, 1, 2, 3, 4, 5, 6, 7]

    def order_of_each_epoch():
        # 打乱顺序要用随机数。PyTorch 的生成器（与 Python 的 `yield` 无关）
        # 一个接一个地给出随机数，就像照着一张固定的长表往下念。
        # 随机种子（seed）是一个数，决定从表的哪里念起。
        # （不写 `generator=`，每次运行程序，都从不同的地方念起。）
        generator = torch.Generator().manual_seed(SEED)
        loader = DataLoader(numbers, batch_size=2, shuffle=True, generator=generator)
        orders = []
        for _ in range(EPOCHS):
            orders.append([batch.tolist() for batch in loader])
        return orders

    first_run = order_of_each_epoch()
    print("batches of epoch 1:", first_run[0])
    # -> batches of epoch 1: [[5, 3], [1, 7], [2, 6], [4, 0]]
    print("batches of epoch 2:", first_run[1])
    # -> batches of epoch 2: [[2, 3], [4, 7], [1, 0], [6, 5]]

    # 每一轮里，每个数字都恰好出现一次。

    # 第 1 轮在表上念到哪里，第 2 轮就从哪里接着念，所以两轮的顺序不同。

    # 第二次运行从表上的同一个位置念起，得到的随机数相同，
    # 所以每一轮的顺序都和第一次运行时一样。这样，训练就能原样重来一遍，
    # 例如为了查错。（换一台机器，或者改用 GPU，
    # 结果的最后几位数字可能不同。）
    second_run = order_of_each_epoch()
    print("a second run with the same seed is the same:", first_run == second_run)
    # -> a second run with the same seed is the same: True

    # %% 工作进程（worker）负责准备后面的批次
    # 读取和缩放图片要花时间。网络还在用前一个批次训练时，
    # 工作进程就已经在准备后面的批次了。批次的顺序不变。
    # （启动工作进程也要花时间。像这里这样图片很少时，不用工作进程反而更快。）
    without_workers = DataLoader(few, batch_size=10, num_workers=0)
    with_workers = DataLoader(few, batch_size=10, num_workers=WORKERS)

    # torch.cat 把批次接起来：(10, ...) + (10, ...) + (4, ...) -> (24, 3, 83, 100)
    expected = torch.cat([pictures for pictures, _ in without_workers])
    pictures = torch.cat([pictures for pictures, _ in with_workers])
    print("pictures are the same with workers:", torch.equal(pictures, expected))
    # -> pictures are the same with workers: True

    # %% 在 TensorBoard 里看：每一轮的顺序都不同
    # CIFAR-10 是最后几课训练用的数据集，里面有十个类别的图片，
    # 每张 32x32 像素，第 5 课会讲。图片的来源和蚂蚁、蜜蜂一样：
    # 先找现成的，没有就下载（170 MB），下载不了就由程序画。
    # train=False 取较小的那一部分，供测试用。
    test_data = cifar10(train=False, transform=to_tensor)

    generator = torch.Generator().manual_seed(SEED)
    loader = DataLoader(test_data, batch_size=64, shuffle=True, generator=generator)

    # SummaryWriter 写下的内容，由浏览器里的程序 TensorBoard 显示，
    # 第 3 课会讲。每张图片都有一个 step，也就是图片上方滑块的位置。
    # 这里的 step 是迭代的序号。
    #
    # new_run 在 logs/ 里新建一个文件夹，存放这次运行写下的内容。
    # 如果图片是程序画的，文件夹的名字就以 -drawn 结尾。
    run = new_run(__file__, drawn=test_data.drawn)
    with SummaryWriter(run) as writer:
        writer.add_text("0 look at", LOOK_AT)    # 显示在 Text 标签页；0 让它排在最前面
        for epoch in range(1, EPOCHS + 1):
            for step, (pictures, _) in enumerate(loader, start=1):
                # 半个批次就够了。enlarge 把每个像素放大成 4x4 像素。
                half = enlarge(pictures[:32])    # (64, 3, 32, 32) -> (32, 3, 128, 128)
                # tag 指明图片显示在哪里：分组、/、卡片的标题。
                # 开头的 2 是本课的编号。
                tag = f"2 shuffled/epoch {epoch}, first half of each batch"
                # add_images 把一个批次显示成一张图，默认要求形状是 NCHW。
                writer.add_images(tag, half, global_step=step)
                if step == BATCHES_SHOWN:
                    break

    # 下面的调用会打印一条命令，用来查看这次运行的内容。打开终端，进入启动本课时
    # 所在的文件夹，再输入这条命令。（文件开头的那条命令用来查看本课的所有运行，
    # 要在 `lessons` 所在的文件夹里输入。）
    print_where_to_look(run, LOOK_AT)


# 为什么要写 main()？在 Windows 和 macOS 上，以及 Linux 上从 Python 3.14 起，
# 工作进程是新启动的 Python。它要用 MyData 这个类，所以会先导入本文件。
# 导入时，__name__ 不是 "__main__"。要是没有这个 `if`，每个工作进程一导入，
# 都会把整课再运行一遍，于是 Python 报错并中止。
if __name__ == "__main__":
    main()

# 试一试：
# - 在有五个参数的那个 loader 里设 `batch_size=7`。现在一轮有几次迭代？
#   最后一个批次有几个样本？先算一算，再运行。
# - 设 `resize = v2.RandomRotation(30, expand=True)`。它把每张图片旋转一下，
#   最多 30 度，再把画布扩大到刚好装得下。
#   运行后报什么错？为什么？
# - 在最后一个单元格里设 `shuffle=False`。现在两轮显示的各是哪些图片？
