"""11. 拿来别人训练好的网络，改动最后一层，保存训练结果

VGG16 是别人训练好的大网络，能认出图片里是 1000 种东西中的哪一种。
VGG16 学到的本领，做别的任务也用得上。这一课用两种办法，
把 VGG16 改成只分十个类别，再和第 9 课的小网络比一比。

然后你会把训练结果保存下来，再加载回来。
你还会看到，加载文件为什么可能有危险。

运行大约需要 20 到 45 秒。VGG16 的权重是一个 553 MB 的文件，
只下载一次。没有这个文件，本课就用随机权重往下运行。

    python lessons/zh/11_vgg16_save_load.py           运行本课
    tensorboard --logdir logs/11_vgg16_save_load      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import inspect
import pickle
import warnings

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter
from torchvision.models import VGG16_Weights, vgg16
from torchvision.transforms import v2
from torchvision.utils import make_grid
from tqdm import tqdm

from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10Network
from shared.paths import MODELS, models_folder, new_run, print_where_to_look
from shared.sources import download

PICTURES = 300           # 训练和测试各用这么多张图片，和第 10 课一样
EPOCHS = 12              # 和第 10 课一样
BATCH_SIZE = 10          # 和第 10 课一样
LEARNING_RATE = 0.001    # PyTorch 里 Adam 的默认值
SIZE = 64                # 送进 VGG16 的图片是 64x64 像素，由 32x32 放大而来；
                         # VGG16 原本是为 224x224 设计的，但那样要花 12 倍的时间

LOOK_AT = """
- Text 标签页，卡片“11 table”：三个网络的准确率。哪个网络最好？
  随便猜能猜对 10% 的图片，每个网络都比这强吗？
- Scalars 标签页：先在左侧把 Smoothing 设为 0，
  再关掉“Ignore outliers in chart scaling”。
  分组“11 accuracy”显示每轮（epoch）之后在测试图片上的准确率。
  把鼠标移到图表上，就能看到曲线的名字。哪个网络的曲线最高？
- Images 标签页，分组“11 first layer”：一张测试图片，
  还有 VGG16 第一层由这张图片算出的 16 张特征图。特征图上哪里亮，
  卷积核就在哪里找到了自己的图案。哪些特征图显出物体的轮廓，哪些显出暗处或亮处？
  （没有 ImageNet 权重时，图案是随机的，显出轮廓的特征图很少。）
"""

# %% VGG16 拿来就能用，但权重是一个 553 MB 的文件
# torchvision.models 里有别人设计好的网络。VGG16 有 16 个带权重的层，
# 权重是用 ImageNet 训练出来的：120 万张图片，1000 种东西。

# 每套权重都有名字。DEFAULT 是 torchvision 为这个网络推荐的那一套。
# （换成更新的 torchvision，推荐的可能是另一套。）下面第一行只是选定名字，
# 什么也不下载。weights.meta 是描述这套权重的字典。
weights = VGG16_Weights.DEFAULT
print("DEFAULT is:", weights)
print("kinds of things:", len(weights.meta["categories"]))
print("the first three kinds:", weights.meta["categories"][:3])
# -> DEFAULT is: VGG16_Weights.IMAGENET1K_V1
#    kinds of things: 1000
#    the first three kinds: ['tench', 'goldfish', 'great white shark']

# torchvision 本来会把下载的文件放进主目录下的隐藏文件夹 .cache/torch/hub。
# （Windows 上也一样。）想换个文件夹，教程的办法是修改 PyTorch 的一个文件。
# 其实写这一行就够了：
torch.hub.set_dir(MODELS / "hub")
print("torchvision looks for weights in:", torch.hub.get_dir())
# -> torchvision looks for weights in: ...hub

# vgg16() 的权重是随机的。vgg16(weights=weights) 会下载训练好的权重，
# 并显示进度条；加上 progress=False 就不显示。
# 函数有哪些参数、默认值是什么，可以用 inspect.signature 查看：
arguments = inspect.signature(vgg16).parameters
print("vgg16's argument `progress` has the default:", arguments["progress"].default)
# -> vgg16's argument `progress` has the default: True

# 你自己写程序，用 vgg16(weights=weights) 就够了。本课把它拆成几步，
# 为的是连不上网时也能往下走：
#
# - fetch_if_possible：如果还没有这个文件，就下载到 torchvision 会去找的地方。
#   连不上网时返回 None。
# - weights.get_state_dict：读取文件，给出 state_dict，也就是装着所有层的数的字典
#   （后面再细讲）。weights_only=True 不许文件运行代码。（最后几个单元格里，
#   就有一个会运行代码的文件。check_hash=True 检查下载的文件有没有损坏。）
# - load_state_dict：把这些数装进网络。
torch.manual_seed(0)
vgg = vgg16()
if download.fetch_if_possible(download.VGG16, MODELS / "hub" / "checkpoints"):
    start = "ImageNet weights"
    vgg.load_state_dict(weights.get_state_dict(check_hash=True, weights_only=True))
else:
    start = "random weights"
    print("Missing: the ImageNet weights of VGG16 (553 MB). `make data` downloads",
          "them. Until then, VGG16 has random weights here.")
print("VGG16 has:", start)
# -> VGG16 has: ... weights

# %% `pretrained=` 是 `weights=` 的旧名字
# 老资料里写的是 vgg16(pretrained=True)。这个写法从 torchvision 0.13 起已弃用：
# 现在还能用，但会给出两条警告，将来也可能删掉。原来写 True 的，
# 改成 weights=VGG16_Weights.DEFAULT；原来写 False 的，改成 weights=None，或者不写。

# 这里只想截住警告，再打印出来。这样调用还会创建一个网络，
# 但我们用不着，所以在 "meta" 设备上创建。设备（第 1 课）是存放张量、
# 用张量做计算的地方。"meta" 不是真的设备：那里的张量只有形状，没有数，
# 所以几乎不花时间，也几乎不占内存。
with warnings.catch_warnings(record=True) as caught, torch.device("meta"):
    warnings.simplefilter("always")
    vgg16(pretrained=False)
print("number of warnings:", len(caught))
print("the first warning:", caught[0].message)
# -> number of warnings: 2
#    the first warning: The parameter 'pretrained' is deprecated since 0.13 and ...


# %% VGG16 由 13 个卷积层和 3 个线性层组成
# print(vgg) 会打印四十行。下面这个函数只用一行介绍一个网络。
# “可训练”（trainable）的参数，就是优化器能改的参数：requires_grad 为 True。
def describe(name, network):
    """打印一个网络有多少层、多少参数。"""
    convolutions = linear_layers = parameters = trainable = 0
    for layer in network.modules():    # 所有的层，包括套在别的层里的
        if isinstance(layer, nn.Conv2d):
            convolutions += 1
        if isinstance(layer, nn.Linear):
            linear_layers += 1
    for parameter in network.parameters():
        parameters += parameter.numel()    # 这个参数里有多少个数
        if parameter.requires_grad:
            trainable += parameter.numel()
    print(f"{name}: {convolutions} Conv2d, {linear_layers} Linear,",
          f"{parameters:,} parameters, {trainable:,} trainable")


describe("VGG16", vgg)
describe("small network of lesson 9", CIFAR10Network())
# -> VGG16: 13 Conv2d, 3 Linear, 138,357,544 parameters, 138,357,544 trainable
#    small network of lesson 9: 3 Conv2d, 2 Linear, 145,578 parameters, ... trainable

# VGG16 有三个部分：卷积层和池化层，一个平均池化层，还有以线性层为主的分类器（classifier）。
# 分类器有七层：Linear、ReLU、Dropout、
# Linear、ReLU、Dropout、Linear。从 0 数起，整个网络的最后一层是第 6 号，
# 给出 1000 个得分，每种东西一个。
print("parts:", [name for name, _ in vgg.named_children()])
print("last layer:", vgg.classifier[6])
# -> parts: ['features', 'avgpool', 'classifier']
#    last layer: Linear(in_features=4096, out_features=1000, bias=True)

# %% 迁移学习：保留网络学到的本领，训练新的最后一层
# VGG16 的前几层寻找边缘和颜色。后面的层把边缘和颜色组合起来，
# 得到越来越复杂的图案，比如皮毛或车轮。倒数第二个线性层给出 4096 个数，
# 每个数都表示某种图案在图片里有多少。
# 这些数叫特征（features）。（vgg.features 是另一回事：
# 那是卷积层和池化层组成的部分。）

# 这样的特征对别的图片也有用：有皮毛的，多半是猫，不是船。这就是迁移学习
# （transfer learning）：网络学会了一个任务，你把学到的本领用到另一个任务上。

# 现在，旧的层不能再变，所以要冻结。冻结就是把参数的 requires_grad 设为 False：
# 反向传播不再给这些参数算梯度，任何优化器都不会去改。
# （requires_grad_ 末尾的 _ 表示改的就是这个网络本身。）
#
# 在本课里，交给优化器的本来就只有新的层。但有的程序会把网络的全部参数都交给优化器，
# 那时就要靠冻结，旧的层才不会变。
vgg.requires_grad_(False)

# VGG16 里有 Dropout 层，训练时会随机挑一部分数置零。
# eval() 把这一步关掉，这样同一张图片的特征总是相同（第 12 课）。
vgg.eval()

describe("VGG16, frozen", vgg)
# -> VGG16, frozen: 13 Conv2d, 3 Linear, 138,357,544 parameters, 0 trainable

# %% 当初训练网络时图片怎么准备，你的图片就怎么准备
# 每套权重都带着自己的变换：缩放，裁剪，
# 把数值换算到 0...1，最后是 Normalize（第 4 课），
# 用的是 ImageNet 三个通道的均值和标准差。
as_trained = weights.transforms()
print("the transform resizes to", as_trained.resize_size, "pixels,",
      "and crops to", as_trained.crop_size)
print("mean:", as_trained.mean, "standard deviation:", as_trained.std)
# -> the transform resizes to [256] pixels, and crops to [224]
#    mean: [0.485, 0.456, 0.406] standard deviation: [0.229, 0.224, 0.225]

# 给 VGG16 的图片也用这个变换，只是把 256 和 224 换成 SIZE。
for_vgg = weights.transforms(resize_size=SIZE, crop_size=SIZE)

# 给小网络的图片用第 10 课的变换。
for_small = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

train_data = cifar10(train=True)
test_data = cifar10(train=False)


def prepare(data, transform):
    """数据集的前 PICTURES 张图片：(300, 3, height, width)。"""
    pictures = []
    for index in range(min(PICTURES, len(data))):
        picture, _ = data[index]
        pictures.append(transform(picture))
    return torch.stack(pictures)


train_targets = torch.tensor(train_data.targets[:PICTURES])
test_targets = torch.tensor(test_data.targets[:PICTURES])

# %% 冻结的层每次算出的特征都一样，所以只算一次
# 训练时，每张图片要用 12 遍（EPOCHS）。如果每遍都让冻结的层算，
# 得到的总是同样的特征。所以只算一次，存起来。
# 之后每轮只运行新的层，训练就从几分钟缩短到几秒钟。
#
# 五次池化，每次让高和宽减半，我们的 64x64 个像素就只剩 2x2 个数。avgpool 取每个窗口的平均值，
# 无论收到多大的特征图，每个通道总是给出 7x7 个数。所以和别的池化不同，
# 它在这里让特征图变大了：一行有 a、b 两个数，就变成 a a a m b b b，
# 其中 m 是两者的平均值。列也同样处理。
all_but_last = nn.Sequential(
    vgg.features,          # (N, 3, 64, 64) -> (N, 512, 2, 2)
    vgg.avgpool,           # -> (N, 512, 7, 7)
    nn.Flatten(),          # -> (N, 25088)
    vgg.classifier[:6],    # -> (N, 4096)：classifier，不含最后一层
)
last_layer = vgg.classifier[6]


def features_of(pictures):
    """冻结的层由图片算出的特征：(300, 3, 64, 64) -> (300, 4096)。"""
    batches = pictures.split(50)    # 一次 50 张，省内存
    features = []
    with torch.no_grad():
        for batch in tqdm(batches, "features", unit="batch", disable=None, leave=False):
            features.append(all_but_last(batch))
    return torch.cat(features)


train_features = features_of(prepare(train_data, for_vgg))
vgg_test_pictures = prepare(test_data, for_vgg)
test_features = features_of(vgg_test_pictures)
print("shape of the features:", tuple(train_features.shape))
# -> shape of the features: (300, 4096)


def train(network, train_inputs, test_inputs, name):
    """像第 10 课那样训练。返回每轮之后的测试准确率。"""
    # TensorDataset 是由张量组成的 Dataset，第 i 个样本是 (inputs[i], targets[i])。
    train_set = TensorDataset(train_inputs, train_targets)
    loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    cross_entropy = nn.CrossEntropyLoss()
    accuracies = []
    for _ in tqdm(range(EPOCHS), name, unit="epoch", disable=None, leave=False):
        for inputs, targets in loader:
            loss = cross_entropy(network(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            predictions = network(test_inputs).argmax(dim=1)    # (300, 10) -> (300,)
        # True 算 1，False 算 0，所以均值就是预测正确的比例。
        accuracies.append((predictions == test_targets).float().mean().item())
    return accuracies


# %% 第一种改法：在最后一层后面再加一层
# 新的层把 1000 个得分变成十个。VGG16 的最后一层也冻结了，
# 所以那 1000 个得分也只算一次。
with torch.no_grad():
    train_scores = last_layer(train_features)    # (300, 4096) -> (300, 1000)
    test_scores = last_layer(test_features)

torch.manual_seed(0)
add_linear = nn.Linear(1000, 10)
accuracies = {}    # 每个网络在每轮之后的测试准确率
accuracies["VGG16, add_linear"] = train(
    add_linear, train_scores, test_scores, "add_linear")

# 把训练好的层放到该放的位置：add_module 在最后加上一层，并给它起名字。
# （教程加的也是这一层，不过之后训练的是整个网络。）
vgg.classifier.add_module("add_linear", add_linear)
describe("VGG16, add_linear", vgg)
# -> VGG16, add_linear: 13 Conv2d, 4 Linear, 138,367,554 parameters, 10,010 trainable

# 整个网络给出的得分，和单独训练的新层给出的一样，
# 差别只在舍入。所以用 allclose，允许有微小的差别：
# 数值的千分之一（rtol），再加 0.0001（atol）。
with torch.no_grad():
    whole_scores = vgg(vgg_test_pictures[:2])    # (2, 3, 64, 64) -> (2, 10)
    layer_scores = add_linear(test_scores[:2])   # (2, 1000) -> (2, 10)
print("whole network and new layer give the same scores:",
      torch.allclose(whole_scores, layer_scores, rtol=1e-3, atol=1e-4))
# -> whole network and new layer give the same scores: True

# %% 第二种改法：换掉最后一层
# 通常用的是这种改法。新的层直接把 4096 个特征变成十个得分，中间没有那 1000 个得分。
# （第一种改法的最后两层之间没有 ReLU，合起来就相当于一个线性层，
# 第 8 课讲过。但两层里有一层冻结了，能学习的只有 10,010 个数。
# 而这里，这一层的 40,970 个数都能学习。）
torch.manual_seed(0)
replaced = nn.Linear(4096, 10)
accuracies["VGG16, last layer replaced"] = train(
    replaced, train_features, test_features, "last layer replaced")

vgg.classifier = vgg.classifier[:7]    # 第 0 到 6 层，和原来一样：没有 add_linear
vgg.classifier[6] = replaced
describe("VGG16, last layer replaced", vgg)
# -> VGG16, last layer replaced: 13 Conv2d, 3 Linear, 134,301,514 parameters, 40,970 ...

# %% 用同样的图片训练第 9 课的小网络，作为对比
torch.manual_seed(0)
small = CIFAR10Network()    # 没有冻结任何层
train_pictures = prepare(train_data, for_small)
test_pictures = prepare(test_data, for_small)
accuracies["small network of lesson 9"] = train(
    small, train_pictures, test_pictures, "small network")

title = f"Test accuracy on {len(test_targets)} pictures ({test_data.source})"
title += f", VGG16 with {start}:"
print(title)
for name, values in accuracies.items():
    print(f"{name:27} {values[-1]:.0%}")    # 最后一轮之后的值
# -> Test accuracy on 300 pictures (...), VGG16 with ... weights:
#    VGG16, add_linear           ...%
#    VGG16, last layer replaced  ...%
#    small network of lesson 9   ...%

# 用随机权重时，VGG16 什么也没学过。特征里关于图片内容的信息很少，
# 新的层也就学不到多少。
# 小网络则是所有的层都训练，准确率更高。

# 用 ImageNet 的权重时，VGG16 已经从 120 万张图片里学到了东西。
# 教程把整个 VGG16 重新训练了一遍，说它这时比小网络好得多。
# 像本课这样只训练一层，其余全部冻结，结果如何，我们没有测过。
# 你自己试试看：能联网的时候，本课会下载这套权重。

# 测试图片只有 300 张，两个网络差几个百分点，可能只是碰巧。

# 随机种子虽然相同，小网络的准确率却和第 10 课（用 Adam）不同，
# 因为第 10 课测试时用 DataLoader，而每遍历一次 DataLoader，就要取一个随机数，
# 不打乱顺序也一样。本课测试时不用 DataLoader。
# 所以第一轮之后，训练图片的顺序就和第 10 课不一样了。

# %% 保存 state_dict：每个参数的名字和数值
# new_run 为 TensorBoard 建好本次运行的文件夹。models_folder 另建一个文件夹，
# 存放本次运行保存的文件：models/11_vgg16_save_load/<日期和时间>。
run = new_run(__file__, drawn=test_data.drawn)
folder = models_folder(run)

# torch.save 会建文件，但不会建文件夹。文件夹不存在，保存就失败：
try:
    torch.save(add_linear.state_dict(), folder / "not there" / "add_linear.pt")
except (RuntimeError, FileNotFoundError) as error:    # PyTorch 会抛出两者之一
    print("no such folder:", error)
# -> no such folder: ...not there...

# state_dict 是一个字典：每个参数的名字，以及对应的张量。
# （层里保存的其他数也在里面。第 12 课就有这样的层：BatchNorm。）
for name, tensor in add_linear.state_dict().items():
    print("in the state_dict of add_linear:", name, tuple(tensor.shape))
# -> in the state_dict of add_linear: weight (10, 1000)
#    in the state_dict of add_linear: bias (10,)

# 如果把整个 VGG16 都存下来，文件会有多大？每个数占 4 字节。
numbers = sum(parameter.numel() for parameter in vgg.parameters())
print(f"all of VGG16, last layer replaced: {numbers * 4 / 1e6:.0f} MB")
# -> all of VGG16, last layer replaced: 537 MB

# 不过，VGG16 里我们只训练了新的层，其余的数都可以重新下载。
# （前提是用了 ImageNet 的权重，而不是随机权重。）
# 所以只要保存新的层，还有小网络，就够了。
torch.save(add_linear.state_dict(), folder / "add_linear.pt")
torch.save(replaced.state_dict(), folder / "replaced.pt")
torch.save(small.state_dict(), folder / "small.pt")
for file in sorted(folder.glob("*.pt")):
    print(f"{file.name}: {file.stat().st_size // 1000} kB")
# -> add_linear.pt: 4... kB
#    replaced.pt: 16... kB
#    small.pt: 58... kB

# 文件名的后缀对 PyTorch 没有意义：.pt、.pth、.pkl 都可以。
# （教程用的是 .pth 和 .pkl。）

# %% 加载 state_dict：先搭出同样的网络，再填入数值
# map_location="cpu"：哪怕张量是从 GPU 上保存的，也放进电脑的主内存。
# 这样，没有 GPU 的机器也能加载这个文件。
# weights_only=True 让加载变得安全（下下个单元格再讲）。
# 从 PyTorch 2.6 起，它就是默认值；我们写出来，是为了照顾旧版本的 PyTorch。
# 输出里的 keys，就是 state_dict 里的那些名字。
state = torch.load(folder / "add_linear.pt", map_location="cpu", weights_only=True)
loaded = nn.Linear(1000, 10)
print("load_state_dict says:", loaded.load_state_dict(state))
print("the loaded layer gives the same scores:",
      torch.equal(loaded(test_scores), add_linear(test_scores)))
# -> load_state_dict says: <All keys matched successfully>
#    the loaded layer gives the same scores: True

# %% state_dict 只能装进层相同的网络
# 教程保存的是加了 add_linear 的网络，加载时用的却是原样的 vgg16()。
# 这样会失败。（为了省时间，这里又用 "meta" 设备。）
with torch.device("meta"):
    plain = vgg16()
    changed = vgg16()
    changed.classifier.add_module("add_linear", nn.Linear(1000, 10))
try:
    plain.load_state_dict(changed.state_dict())
except RuntimeError as error:
    print("into a plain vgg16():", str(error).splitlines()[1].strip())
# -> into a plain vgg16(): Unexpected key(s) in state_dict: "classifier.add_linear...

# state_dict 里有两个名字，是原样的网络里没有的。
# 所以先把新网络改成同样的结构，再加载。
state = changed.state_dict()
plain.classifier.add_module("add_linear", nn.Linear(1000, 10, device="meta"))
print("with add_linear:", plain.load_state_dict(state))
# -> with add_linear: <All keys matched successfully>

# %% 保存整个网络用的是 pickle，而加载 pickle 可能会运行代码
# torch.save(network) 用 pickle 保存整个对象。
# pickle 是 Python 把任意对象写进文件的办法。文件里没有对象的类，只有类名。
# pickle 文件里还可以写：要重建这个对象，请调用某个函数。
# 什么函数都行，这个例子里是 print。
class Surprise:
    def __reduce__(self):    # pickle 问：这个对象怎么重建？
        return print, ("This file has just run code of its own.",)


torch.save(small, folder / "whole_network.pt")
torch.save(Surprise(), folder / "surprise.pt")

# 正因为这样，从 PyTorch 2.6 起，torch.load 默认 weights_only=True：
# 只构造张量、字典、数之类的东西，其余一概拒绝。
for name in ("whole_network.pt", "surprise.pt"):
    try:
        torch.load(folder / name)
    except pickle.UnpicklingError as error:
        print(f"{name} is refused: {type(error).__name__}")
# -> whole_network.pt is refused: UnpicklingError
#    surprise.pt is refused: UnpicklingError

# weights_only=False 会加载这两个文件，并执行文件里写的操作。只有你自己生成的文件，
# 才可以这样加载。surprise.pt 只打印了一行字，但这样的文件也可能删掉你的照片。
torch.load(folder / "surprise.pt", weights_only=False)
# -> This file has just run code of its own.
whole = torch.load(folder / "whole_network.pt", weights_only=False)
print("loaded with weights_only=False, a network of the class:", type(whole).__name__)
# -> loaded with weights_only=False, a network of the class: CIFAR10Network

# %% safe_globals 指明文件可以构造哪些类的对象
# 在 `with safe_globals(classes)` 里面，torch.load 也会构造这些 Python 类的对象，
# 其余的照样拒绝。这比 weights_only=False 安全。
classes = [CIFAR10Network, nn.Sequential]
classes += [nn.Conv2d, nn.MaxPool2d, nn.Flatten, nn.Linear]    # 网络里的层
with torch.serialization.safe_globals(classes):
    whole = torch.load(folder / "whole_network.pt")
print("the loaded network gives the same scores:",
      torch.equal(whole(test_pictures[:2]), small(test_pictures[:2])))
# -> the loaded network gives the same scores: True

# 要加载整个网络，Python 需要网络的类，
# 所以得 import 定义这个类的 Python 文件，而 import 会运行整个文件。在教程里，
# 这个文件还会保存一个新的网络。于是一 import，你正要加载的网络就被覆盖了。
#
# 所以，CIFAR10Network 单独放在一个 Python 文件里：shared/networks.py。
# 这个文件只定义类，所以可以放心 import。

# 总之，请保存 state_dict。里面只有张量，所以 weights_only 保持默认的 True 就行。

# %% 在 TensorBoard 里看三个网络的准确率，再看 VGG16 第一层看到了什么
table = f"{title}\n\n| network | test accuracy |\n| --- | --- |\n"
for name, values in accuracies.items():
    table += f"| {name} | {values[-1]:.0%} |\n"

with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    writer.add_text("11 table", table)

    for name, values in accuracies.items():
        for epoch, accuracy in enumerate(values, start=1):
            writer.add_scalars("11 accuracy/test pictures", {name: accuracy}, epoch)

    picture = enlarge(test_pictures[0], 8)           # (3, 32, 32) -> (3, 256, 256)
    writer.add_image("11 first layer/1 picture", picture)

    first_layer = vgg.features[:2]                   # 一个卷积，再加一个 ReLU
    maps = first_layer(vgg_test_pictures[:1])        # (1, 3, 64, 64) -> (1, 64, 64, 64)
    maps = maps[0, :16].unsqueeze(1)                 # 16 张灰度图片：(16, 1, 64, 64)
    brightest = maps.amax(dim=(2, 3), keepdim=True)  # 每张特征图最亮的值：(16, 1, 1, 1)
    maps = maps / brightest.clamp(min=1e-6)          # 0...1，也不会除以零
    grid = make_grid(enlarge(maps, 2), nrow=4)       # 拼成一张图片，每行四张特征图
    writer.add_image("11 first layer/2 feature maps", grid)

print_where_to_look(run, LOOK_AT)

# 试一试：
# - `SIZE = 32`：准确率和时间各有什么变化？
# - `replaced = nn.Sequential(nn.Linear(4096, 64), nn.ReLU(), nn.Linear(64, 10))`：
#   两个新的层比一个好吗？
# - 把 nn.Flatten 从 safe_globals 的列表里去掉：报错信息怎么说？
