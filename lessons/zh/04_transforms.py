"""04. 变换把图片变成张量，或者变成另一张图片

网络计算时用的不是图片，而是张量（tensor），也就是 PyTorch 的数组，
里面装着数。有一种变换能把图片变成张量，第 2 课用过。
别的变换可以裁剪、缩放、左右翻转图片，或者把数值移到另一个范围。
最后你会看到数据增强（augmentation）：用变换随机改动图片，
手头的图片就能变出更多的训练图片。

变换是一种对象。先创建一次，同时定好设置，之后就像函数一样调用：
`crop = CenterCrop(100)`，然后 `crop(picture)`。

torchvision 的变换有两代。`torchvision.transforms` 是老的一代，
这里叫作 v1。多数教程用的是 v1，所以你要看得懂。
`torchvision.transforms.v2` 是新的一代，现在写代码就该用 v2。
本课把两代放在一起对照，后面各课只用 v2。

运行大约需要 5 秒。

    python lessons/zh/04_transforms.py           运行本课
    tensorboard --logdir logs/04_transforms      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import io

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2

from shared.datasets import AntsBees, ants_and_bees, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 4    # 随机数从哪里开始；随便哪个整数都行

LOOK_AT = """
- Images 标签页，分组“4 transforms”：拿 02 和 03 跟 01 比一比。
  哪一张的颜色不对？为什么？
- 08 和 09 先把图片缩到 30 像素高，再放大，
  好让你看清一个个像素。哪一张的边缘更粗糙？
- 11 是 Normalize 之后的图片。为什么 11 这么暗，12 却不暗？
- 分组“4 augmentation”，在刚才那个分组上面：卡片一开始显示最后一个 step，
  也就是 4。把滑块依次拖到 step 3、2、1，看到的都是同一只蚂蚁。
  各个 step 之间有什么变化？在哪个 step 里，蚂蚁左右翻转了？
"""

# %% 图片的大小是（宽，高），数组的形状是（高，宽，通道）
folder, drawn = ants_and_bees()    # 蚂蚁和蜜蜂的照片，或者替代图
ants = AntsBees(folder / "train", "ants")
picture, label = ants[0]

# 打开这张图片的库叫 PIL。注意顺序：宽在前。
print("type of the picture:", type(picture).__name__)
# -> type of the picture: Image
print("its label:", label)
# -> its label: ants
print("its size, (width, height):", picture.size)
# -> its size, (width, height): (768, 512)

# 在数组里，高在前，也就是行在前。通道在最后：红、绿、蓝，
# 每个数从 0（暗）到 255（亮）。
array = np.array(picture)
print("shape of the array, (height, width, channels):", array.shape)
# -> shape of the array, (height, width, channels): (512, 768, 3)

# %% ToTensor 把通道移到最前面，并除以 255
# 先看一张小到能写在纸上的图片：一行，两个像素。
# 左边的像素，红是 51，绿是 102，蓝是 255。右边的像素是黑色。
tiny = Image.fromarray(np.array([[[51, 102, 255], [0, 0, 0]]], dtype=np.uint8))

to_tensor_v1 = transforms.ToTensor()    # v1：先创建变换……
tiny_tensor = to_tensor_v1(tiny)        # ……再调用：1x2 像素 -> (3, 1, 2)
print("red channel, 51/255 and 0/255:", tiny_tensor[0])
# -> red channel, 51/255 and 0/255: tensor([[0.2000, 0.0000]])
print("green channel, 102/255 and 0/255:", tiny_tensor[1])
# -> green channel, 102/255 and 0/255: tensor([[0.4000, 0.0000]])
print("blue channel, 255/255 and 0/255:", tiny_tensor[2])
# -> blue channel, 255/255 and 0/255: tensor([[1., 0.]])

# 现在轮到蚂蚁。
tensor = to_tensor_v1(picture)    # 宽 768，高 512 -> (3, 512, 768)
print("tensor.shape, (channels, height, width):", tensor.shape)
# -> tensor.shape, (channels, height, width): torch.Size([3, 512, 768])
print("type of its numbers:", tensor.dtype)
# -> type of its numbers: torch.float32

# tensor.size() 是 tensor.shape 的另一种写法。图片却要写 picture.size，
# 不带括号，而且宽在前。
print("tensor.size():", tensor.size(), "and picture.size:", picture.size)
# -> tensor.size(): torch.Size([3, 512, 768]) and picture.size: (768, 512)

# 自己动手做一遍：permute 把第 2 维（通道）放到最前面，接着是第 0 维和第 1 维。
# （torch.from_numpy 和第 3 课的 torch.tensor 一样，把数组变成张量，
# 不过数据并不复制：数组和张量共用同一份数。）
by_hand = torch.from_numpy(array).permute(2, 0, 1)    # (512, 768, 3) -> (3, 512, 768)
by_hand = by_hand / 255
print("by hand equals ToTensor:", torch.equal(by_hand, tensor))
# -> by hand equals ToTensor: True

# %% 张量有一样数组没有的本事：记住自己是怎么算出来的
# 数组和张量里的数一模一样，那为什么还要张量？原因在于网络的学习方式：
# 一遍又一遍地，每次把自己的数改动一点点。对每个数，网络都得知道：
# 这个数变大，答案是变好还是变坏？这要看梯度（第 10 课）。
# 要算出梯度，PyTorch 必须知道答案是怎么算出来的。
# 这里只要看清一件事：写上 requires_grad=True，张量就会记住这个过程。
weight = torch.tensor(3.0, requires_grad=True)    # 网络可以学习的数
print("2 times the weight:", 2 * weight)
# -> 2 times the weight: tensor(6., grad_fn=<MulBackward0>)

# grad_fn 就是这份记忆。Mul 表示这个 6 是乘出来的。
# Backward 表示 PyTorch 能从 6 一路追溯到权重，第 10 课就会这么做。
# NumPy 数组没有这样的本事。张量还能搬到 GPU 上（第 12 课）。

# %% v2 分成两步：ToImage 和 ToDtype
# 第一步变成张量。（ToImage 里的 Image 不是 PIL 的 Image，
# 而是 torchvision 自己的一种张量，专门装图片。）
image = v2.ToImage()(picture)    # 宽 768，高 512 -> (3, 512, 768)
print("after ToImage:", tuple(image.shape), image.dtype)
# -> after ToImage: (3, 512, 768) torch.uint8

# uint8 是 8 位的整数：0 到 255。网络需要浮点数，
# 所以第二步把整数变成浮点数。写上 scale=True，还会除以 255；
# 不写的话，255 只会变成 255.0。
scaled = v2.ToDtype(torch.float32, scale=True)(image)    # (3, 512, 768)，从 0 到 1
print("after ToDtype:", tuple(scaled.shape), scaled.dtype)
# -> after ToDtype: (3, 512, 768) torch.float32

# 把两步串成一个变换。后面各课也这样写。
to_tensor_v2 = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
print("chained equals one after the other:", torch.equal(to_tensor_v2(picture), scaled))
# -> chained equals one after the other: True

# v1 除以 255，v2 乘以 1/255，所以最后一位数字可能不同。
#
# abs() 去掉每个差的正负号，max() 取出最大的一个。张量里只有一个数时，
# item() 把它变成 Python 的数。
difference = (tensor - scaled).abs().max().item()
print("v1 and v2 differ by less than a millionth:", difference < 0.000001)
# -> v1 and v2 differ by less than a millionth: True

# （v2 里也有 ToTensor，但会打印一条警告，让你改写成这两步。）

# %% ToTensor 只对 8 位整数做除法
# 数值范围不对并不会报错，网络只是学得很差。所以你要清楚，
# 哪些数会除以 255。（np.full 创建的数组，里面的数全都相同。
# 这里是两行、两列、一个通道。）
whole_numbers = np.full((2, 2, 1), 255, dtype=np.uint8)
floats = np.full((2, 2, 1), 255.0)
print("ToTensor, from a whole 255:", to_tensor_v1(whole_numbers).max().item())
# -> ToTensor, from a whole 255: 1.0
print("ToTensor, from a float 255.0:", to_tensor_v1(floats).max().item())
# -> ToTensor, from a float 255.0: 255.0

# v2 的 ToDtype(..., scale=True) 也不对浮点数做除法。
print("v2, from a float 255.0:", to_tensor_v2(floats).max().item())
# -> v2, from a float 255.0: 255.0

# PIL 图片大多是 8 位的，也有位数更多的，例如 X 光片，数值最大可以到 65,535（16 位）。
# 如果 PIL 用更宽的类型存放这些数，也就是 32 位（模式 "I"），
# ToTensor 就不做除法。
many_bits = Image.fromarray(np.full((2, 2), 60_000, dtype=np.int32))
print("ToTensor, from a picture of 32 bits:", to_tensor_v1(many_bits).max().item())
# -> ToTensor, from a picture of 32 bits: 60000

# v2 不知道 65,535 这回事，它除以 32 位的类型能表示的最大的数：2,147,483,647。
# 于是，这张明亮的图片变得几乎全黑。
print(f"v2, from a picture of 32 bits: {to_tensor_v2(many_bits).max().item():.6f}")
# -> v2, from a picture of 32 bits: 0.000028

# 所以这样的图片要自己做除法，除以数值可能达到的最大值。
divided = to_tensor_v1(many_bits) / 65_535
print(f"ToTensor, then divided by 65535: {divided.max().item():.6f}")
# -> ToTensor, then divided by 65535: 0.915541

# 如果 PIL 用 16 位存放这些数（模式 "I;16"，打开 16 位的 PNG 文件就是这样），
# 情况正好相反：v2 除以 65,535，这是对的；
# ToTensor 却让大于 32,767 的数变成负数。
sixteen_bits = Image.fromarray(np.full((2, 2), 60_000, dtype=np.uint16))
print(f"v2, from a picture of 16 bits: {to_tensor_v2(sixteen_bits).max().item():.6f}")
print("ToTensor, from a picture of 16 bits:", to_tensor_v1(sixteen_bits).max().item())
# -> v2, from a picture of 16 bits: 0.915541
#    ToTensor, from a picture of 16 bits: -5536

# %% OpenCV 读出来的顺序是蓝、绿、红
# OpenCV（cv2）也是读图片的库，读出来的是数组。
# 多数程序里写的是 cv2.imread(path)。它做两件事：先读出文件的字节，
# 再把字节变成图片。这里把两件事分开写。（为什么？在 Windows 上，
# 路径里要是有“中”这样的字，cv2.imread 就返回 None，下面这两行不会。）
file_bytes = np.fromfile(ants.paths[0], dtype=np.uint8)
bgr = cv2.imdecode(file_bytes, cv2.IMREAD_COLOR)
print("OpenCV gives:", type(bgr).__name__, bgr.shape)
# -> OpenCV gives: ndarray (512, 768, 3)

# 形状和 PIL 的数组一样。但第一个通道是蓝，最后一个才是红。
# cvtColor 把顺序换过来。
rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
reversed_channels = bgr[:, :, ::-1]    # 所有的行，所有的列，通道倒序
print("cvtColor only reverses the channels:", np.array_equal(reversed_channels, rgb))
# -> cvtColor only reverses the channels: True

# ToTensor 也接受数组。现在 OpenCV 的颜色和 PIL 的几乎一样，
# 只差一点点，因为两个库的舍入方式不同。
from_opencv = to_tensor_v1(rgb)    # (512, 768, 3) -> (3, 512, 768)
difference = (from_opencv - tensor).abs().mean().item()
print("mean difference to PIL below 0.01:", difference < 0.01)
# -> mean difference to PIL below 0.01: True

# %% 文件损坏时，PIL 会报错，OpenCV 不一定
# 先看一个根本不是图片的文件。OpenCV 返回 None，你的程序到后面才出错。
text = b"this is no picture"
text_bytes = np.frombuffer(text, dtype=np.uint8)    # 同样的字节，做成数组
print("OpenCV makes of a text:", cv2.imdecode(text_bytes, cv2.IMREAD_COLOR))
# -> OpenCV makes of a text: None
try:
    Image.open(io.BytesIO(text))    # BytesIO 用字节在内存里做出一个文件
except OSError as error:
    print("PIL's error for a text:", type(error).__name__)
# -> PIL's error for a text: UnidentifiedImageError

# 再取一个 JPEG 文件的前 10,000 个字节，就像下载到一半断了。PIL 能打开，
# 等到要用像素时才报错。
cut_file = ants.paths[0].read_bytes()[:10_000]
try:
    Image.open(io.BytesIO(cut_file)).load()
except OSError as error:
    print("PIL's error for a file cut short:", error)
# -> PIL's error for a file cut short: image file is truncated (... bytes not processed)

# OpenCV 4.10 会用现有的部分拼出一张图片，而且不警告。
# 再新一些的版本返回 None。
cut_bytes = np.frombuffer(cut_file, dtype=np.uint8)
cut_picture = cv2.imdecode(cut_bytes, cv2.IMREAD_COLOR)
print(f"OpenCV {cv2.__version__} gives None for a file cut short:", cut_picture is None)
# -> OpenCV ... gives None for a file cut short: ...

# 所以训练图片要用 PIL 来读，这套课程就是这样做的。
# 要是用 OpenCV，每次都要检查是不是 None。

# %% 裁剪就是切出一块：切正中间，或者随机挑个位置
# 裁剪和缩放既接受 PIL 图片，也接受张量；给的是哪一种，返回的就是哪一种。
#
# 又是一张能写在纸上的“图片”：一个通道，四行，四列。
# arange(16) 给出从 0 到 15 的数，reshape 把这些数排成四行四列。
numbers = torch.arange(16).reshape(1, 4, 4)
print(f"the numbers:\n{numbers[0]}")
# -> the numbers:
#    tensor([[ 0,  1,  2,  3],
#            [ 4,  5,  6,  7],
#            [ 8,  9, 10, 11],
#            [12, 13, 14, 15]])

# 大小只写一个数，就是正方形。
center = v2.CenterCrop(2)(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("CenterCrop(2):", center[0].tolist())
# -> CenterCrop(2): [[5, 6], [9, 10]]

# 写两个数，就是（高，宽），和张量一样。PIL 正好反过来！
center = v2.CenterCrop((2, 4))(numbers)    # (1, 4, 4) -> (1, 2, 4)
print("CenterCrop((2, 4)):", center[0].tolist())
# -> CenterCrop((2, 4)): [[4, 5, 6, 7], [8, 9, 10, 11]]

# RandomCrop 的大小也这样写：一个数，或者（高，宽）。
# RandomCrop 在随机的位置切出这么大的一块。如果要切 2x3，这里有六个位置：
# 从上到下三个，乘以从左到右两个。每次调用都重新挑。
crop = v2.RandomCrop((2, 3))
for _ in range(4):
    print("RandomCrop((2, 3)):", crop(numbers)[0].tolist())
# -> RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]

# %% 随机种子相同，随机裁剪的结果也相同
# 计算机的随机数一个接一个，就像照着一张固定的长表往下念。
# 随机种子决定从表的哪个位置念起（第 2 课）。
torch.manual_seed(SEED)
first_crop = crop(numbers)
print("crop after seed 4:", first_crop[0].tolist())
# -> crop after seed 4: [[4, 5, 6], [8, 9, 10]]
torch.manual_seed(SEED)
print("seed 4 again, same crop:", torch.equal(crop(numbers), first_crop))
# -> seed 4 again, same crop: True

# %% Resize 用旧像素算出新像素
# 高减半，宽也减半，四个旧像素就对应一个新像素。
# 默认的算法叫双线性插值（bilinear），就是混合最近的四个像素，横竖各取两个：
# 0、1、4、5 变成 (0 + 1 + 4 + 5) / 4 = 2.5。（antialias 下面再讲。）
numbers = numbers.float()
bilinear = v2.Resize((2, 2), antialias=False)
resized = bilinear(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("Resize, bilinear:", resized[0].tolist())
# -> Resize, bilinear: [[2.5, 4.5], [10.5, 12.5]]

# 想换一种算法，就设置 `interpolation`。
# NEAREST_EXACT 给每个新像素照抄一个旧像素，其余的不管。这里就由 5 来代表 0、1、4、5。
# （老的 NEAREST 也是抄一个像素，
# 不过张量和 PIL 图片抄的不是同一个。）
nearest = v2.Resize((2, 2), interpolation=InterpolationMode.NEAREST_EXACT)
resized = nearest(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("Resize, nearest:", resized[0].tolist())
# -> Resize, nearest: [[5.0, 7.0], [13.0, 15.0]]

# 两种算法都可能丢掉细小的东西，比如蚂蚁的腿。下面这张图片只有一行，
# 第四个像素是腿，是亮的，其余的都暗。
# （flatten() 把所有的数排成一行。）
leg = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]])
print("thin leg, eight pixels:", leg.flatten())
# -> thin leg, eight pixels: tensor([0., 0., 0., 1., 0., 0., 0., 0.])

# 现在缩放到两个像素。第一个新像素代表前四个旧像素，
# 那条腿就在其中。四个像素的正中，在第二个和第三个之间。
# NEAREST_EXACT 复制正中之后的那一个，也就是第三个：腿就没了。
nearest = v2.Resize((1, 2), interpolation=InterpolationMode.NEAREST_EXACT)
resized = nearest(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, nearest, two pixels:", resized.flatten())
# -> thin leg, nearest, two pixels: tensor([0., 0.])

# 双线性插值混合正中两边的两个，第二个和第三个。
# （只有一行，所以是两个像素，不是四个。）所以腿也没了。
bilinear = v2.Resize((1, 2), antialias=False)
resized = bilinear(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, bilinear without antialias:", resized.flatten())
# -> thin leg, bilinear without antialias: tensor([0., 0.])

# 打开抗锯齿，也就是 antialias=True（默认值），结果就不同了。这时，
# 离新像素正中最近的八个旧像素全都算进去，左右各四个。离得越近，分量越重：
# 依次占 1、3、5、7、7、5、3 和 1 份。对第一个新像素来说，最前面的两个落在这一行的左端以外，
# 那里什么也没有。所以剩下 5、7、7、5、3 和 1，共 28 份。
# 腿是其中第四个：5 / 28 = 0.1786。对第二个新像素来说，缺的是最后两个，
# 剩下 1、3、5、7、7 和 5，也是 28 份，腿是其中第二个：3 / 28 = 0.1071。
# 所以腿变淡、变宽了，但还在。
bilinear = v2.Resize((1, 2))
resized = bilinear(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, bilinear with antialias:", resized.flatten())
# -> thin leg, bilinear with antialias: tensor([0.1786, 0.1071])

# 现在缩放蚂蚁，形状是 (3, 512, 768)。给两个数，就是（高，宽）。
# 这里宽缩得比高多，所以蚂蚁看上去变窄了。
print("Resize((256, 300)):", v2.Resize((256, 300))(tensor).size())
# -> Resize((256, 300)): torch.Size([3, 256, 300])

# 只给一个数，就是短边的新长度。长边按比例缩放，
# 蚂蚁不变形：768 / 512 * 30 = 45。
print("Resize(30):", v2.Resize(30)(tensor).size())
# -> Resize(30): torch.Size([3, 30, 45])

# %% 其他变换在 v1 和 v2 里名字相同，结果也相同
# RandomHorizontalFlip(p) 以概率 p 左右翻转。1 表示每次都翻转。
old = {
    "CenterCrop(100)": transforms.CenterCrop(100),
    "CenterCrop((100, 150))": transforms.CenterCrop((100, 150)),
    "RandomCrop((200, 300))": transforms.RandomCrop((200, 300)),
    "Resize((256, 300))": transforms.Resize((256, 300)),
    "Resize(30)": transforms.Resize(30),
    "RandomHorizontalFlip(1)": transforms.RandomHorizontalFlip(1),
}
new = {
    "CenterCrop(100)": v2.CenterCrop(100),
    "CenterCrop((100, 150))": v2.CenterCrop((100, 150)),
    "RandomCrop((200, 300))": v2.RandomCrop((200, 300)),
    "Resize((256, 300))": v2.Resize((256, 300)),
    "Resize(30)": v2.Resize(30),
    "RandomHorizontalFlip(1)": v2.RandomHorizontalFlip(1),
}
results = {}    # v2 处理蚂蚁的结果，留给 TensorBoard 用
for name in old:
    # 两次都设同样的种子，随机裁剪才会落在同一个位置。
    torch.manual_seed(SEED)
    by_v1 = old[name](tensor)
    torch.manual_seed(SEED)
    by_v2 = new[name](tensor)
    print(f"{name}: {tuple(by_v2.shape)}, v1 equals v2: {torch.equal(by_v1, by_v2)}")
    results[name] = by_v2
# -> CenterCrop(100): (3, 100, 100), v1 equals v2: True
#    CenterCrop((100, 150)): (3, 100, 150), v1 equals v2: True
#    RandomCrop((200, 300)): (3, 200, 300), v1 equals v2: True
#    Resize((256, 300)): (3, 256, 300), v1 equals v2: True
#    Resize(30): (3, 30, 45), v1 equals v2: True
#    RandomHorizontalFlip(1): (3, 512, 768), v1 equals v2: True

# %% Normalize 减去均值，再除以标准差
# 数值在 0 附近时，网络更容易学。Normalize 就把数值移到 0 附近，
# 每个通道各用一个均值（mean）和一个标准差（std），都由你来给。
# 标准差说明，数值一般离均值有多远。这里的均值和标准差是随便取的，
# 后面会用图片来算。
#
# 在纸上算一遍。图片只有一个像素：红 0.25，绿 0.5，蓝 1。
#
#             像素   均值    标准差
#     红：   (0.25 - 0.25) / 0.25 = 0
#     绿：   (0.50 - 0.25) / 0.50 = 0.5
#     蓝：   (1.00 - 0.50) / 0.50 = 1
#
# 整张图片也一样，每个像素都这样算：
#
#     output[channel] = (input[channel] - mean[channel]) / std[channel]
pixel = torch.tensor([0.25, 0.5, 1.0]).reshape(3, 1, 1)    # （通道，高，宽）
normalized = v2.Normalize(mean=[0.25, 0.25, 0.5], std=[0.25, 0.5, 0.5])(pixel)
print("one pixel normalized:", normalized.flatten().tolist())
# -> one pixel normalized: [0.0, 0.5, 1.0]

# 很多程序里，均值和标准差一律用 0.5。这样，0 到 1 的范围就变成 -1 到 1。
halves = [0.5, 0.5, 0.5]
normalize = v2.Normalize(mean=halves, std=halves)
greys = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
greys = greys.expand(3, 1, 5)    # 三个通道都一样：一行五个灰色像素

# [0, 0] 是通道 0 的第 0 行。
print("0 to 1 becomes -1 to 1:", normalize(greys)[0, 0].tolist())
# -> 0 to 1 becomes -1 to 1: [-1.0, -0.5, 0.0, 0.5, 1.0]

# 也有程序用图片本身的均值和标准差。这样归一化之后，
# 每个通道的均值是 0，标准差是 1。这里只用这张蚂蚁图片来算。
# 真正训练时，要用全部训练图片合在一起算。
#
# dim=(1, 2) 表示沿第 1 维和第 2 维计算，也就是高和宽，
# 所以每个通道得到一个数。
mean = tensor.mean(dim=(1, 2))    # (3, 512, 768) -> (3,)
std = tensor.std(dim=(1, 2))      # (3, 512, 768) -> (3,)
ant = v2.Normalize(mean, std)(tensor)

# torch.allclose 和 torch.equal 一样做比较，但允许微小的差别，
# 比如舍入造成的差别。`atol` 规定差别最多能有多大。
print("means are 0:", torch.allclose(ant.mean(dim=(1, 2)), torch.zeros(3), atol=0.001))
# -> means are 0: True
print("standard deviations are 1:", torch.allclose(ant.std(dim=(1, 2)), torch.ones(3)))
# -> standard deviations are 1: True

# 自己动手做一遍，一个通道一个通道地算。
by_hand = torch.empty(3, 512, 768)    # 先定好张量的形状，数值下面再填
for channel in range(3):
    by_hand[channel] = (tensor[channel] - mean[channel]) / std[channel]
print("by hand equals Normalize:", torch.allclose(by_hand, ant))
# -> by hand equals Normalize: True

same = torch.equal(transforms.Normalize(halves, halves)(tensor), normalize(tensor))
print("Normalize, v1 equals v2:", same)
# -> Normalize, v1 equals v2: True

# Normalize 要求通道在前。如果高在前，它会把 512 行当成 512 个通道，
# 但它只有 3 个均值。（在报错信息里，tensor a 是图片，
# b 是均值。）
try:
    normalize(tensor.permute(1, 2, 0))    # (3, 512, 768) -> (512, 768, 3)
except RuntimeError as error:
    print("channels last:", error)
# -> channels last: The size of tensor a (512) must match the size of tensor b (3) ...

# %% ToPILImage 把张量变回图片
to_picture = v2.ToPILImage()
back = to_picture(tensor)    # (3, 512, 768) -> 宽 768，高 512
print("there and back gives the same picture:", np.array_equal(back, picture))
# -> there and back gives the same picture: True
same = np.array_equal(transforms.ToPILImage()(tensor), back)
print("ToPILImage, v1 equals v2:", same)
# -> ToPILImage, v1 equals v2: True

# PIL 把图片的种类叫作模式（mode）。ToPILImage 根据通道数来定模式。
# L 是灰度。RGBA 里的 A 是 alpha，也就是第四个通道：
# 0 表示像素透明，1 表示不透明。
for channels in (1, 3, 4):
    few_pixels = torch.rand(channels, 2, 2)    # 0 到 1 的随机数
    print(f"channels: {channels}, mode: {to_picture(few_pixels).mode}")
# -> channels: 1, mode: L
#    channels: 3, mode: RGB
#    channels: 4, mode: RGBA

# %% Compose 把变换串起来，按先后顺序执行
center_v1 = transforms.Compose([transforms.CenterCrop(100), transforms.ToTensor()])
center_v2 = v2.Compose([
    v2.CenterCrop(100),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
])
result = center_v2(picture)    # 宽 768，高 512 -> (3, 100, 100)
print("crop, then tensor:", tuple(result.shape))
# -> crop, then tensor: (3, 100, 100)
print("Compose, v1 is close to v2:", torch.allclose(center_v1(picture), result))
# -> Compose, v1 is close to v2: True

# %% 数据增强把一张图片变成许多张
# 网络需要很多训练图片。如果翻来覆去只看那么几张，网络就会死记硬背，
# 碰到新图片就答不好（过拟合，第 10 课）。数据增强能帮上忙：
# 每次用到一张图片，都随机改动一点。左右翻转过的蚂蚁还是蚂蚁，
# 所以标签不变。到第 12 课真正训练网络时，
# 数据增强就会派上用场。
#
# 改动的只有训练图片。测试图片用来衡量网络有多好，
# 所以保持原样。
#
# （多数程序不写 RandomCrop 和 Resize，而是写 v2.RandomResizedCrop。
# 这种变换连切多大一块也随机决定。）
augment = v2.Compose([
    v2.RandomHorizontalFlip(p=0.5),    # 随机挑大约一半的图片，左右翻转
    v2.RandomCrop((400, 600)),         # (3, 512, 768) -> (3, 400, 600)
    v2.Resize(200),                    # -> (3, 200, 300)
])
torch.manual_seed(SEED)
augmented = []
for _ in range(4):    # 一轮（epoch）就是把所有训练图片过一遍（第 2 课）
    augmented.append(augment(tensor))
print("one ant, four epochs:", len(augmented), "pictures of", tuple(augmented[0].shape))
# -> one ant, four epochs: 4 pictures of (3, 200, 300)
print("the first two are the same:", torch.equal(augmented[0], augmented[1]))
# -> the first two are the same: False

# %% 在 TensorBoard 里看每种变换把蚂蚁变成什么样
# 交给 add_image 的如果是浮点数，就应该在 0 到 1 之间。小于 0 的当作 0 显示，
# 大于 1 的当作 1。
nearest = v2.Resize(30, interpolation=InterpolationMode.NEAREST_EXACT)
small_nearest = nearest(tensor)    # (3, 512, 768) -> (3, 30, 45)
shown = {
    "01 the picture": tensor,
    "02 OpenCV, as it is read": to_tensor_v1(bgr),
    "03 OpenCV, channels reversed": from_opencv,
    "04 CenterCrop(100)": results["CenterCrop(100)"],
    "05 CenterCrop((100, 150))": results["CenterCrop((100, 150))"],
    "06 RandomCrop((200, 300))": results["RandomCrop((200, 300))"],
    "07 Resize((256, 300))": results["Resize((256, 300))"],
    "08 Resize(30), nearest": enlarge(small_nearest, 8),    # -> (3, 240, 360)
    "09 Resize(30), bilinear": enlarge(results["Resize(30)"], 8),
    "10 RandomHorizontalFlip(1)": results["RandomHorizontalFlip(1)"],
    "11 Normalize, -1 to 1": normalize(tensor),
    "12 Normalize, moved back to 0 to 1": normalize(tensor) * 0.5 + 0.5,
}
run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    for name, result in shown.items():
        writer.add_image(f"4 transforms/{name}", result)
    for step, result in enumerate(augmented, start=1):
        writer.add_image("4 augmentation/1 one ant in four epochs", result, step)
print_where_to_look(run, LOOK_AT)

# 试一试：
# - `old` 和 `new` 里各有一处 Resize(30)，给两处都加一个参数：
#   `Resize(30, antialias=False)`。（引号里的名字不动。）
#   图片 09 会变得更粗糙吗？
# - 把 `v2.ColorJitter(brightness=0.5)` 和 `v2.RandomRotation(30)` 加进 `augment`。
#   这两种变换各做什么？旋转后的图片，四个角上是什么？
# - 在遍历 `old` 的循环里，删掉第二个 `torch.manual_seed(SEED)`。
#   六对结果里，哪一对不再相等？为什么只有这一对？
