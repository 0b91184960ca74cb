"""03. TensorBoard：把程序写下的内容画出来

训练一个网络，短则几分钟，长则几天。你会想边跑边看进展，
跑完以后再跟别的运行比一比。这件事由两个程序分工完成：

- 你的程序里有一个 SummaryWriter，负责把数字和图片写进一个文件夹。
- TensorBoard 读取这个文件夹，在浏览器里把内容画出来。
  程序还在跑的时候可以看，跑完很久以后也可以看。

（TensorBoard 出自另一个神经网络库 TensorFlow。PyTorch 从 1.2 版起支持 TensorBoard。
在那之前，大家用的是 TensorBoardX 这个包。）

运行大约需要 3 秒。

    python lessons/zh/03_tensorboard.py           运行本课
    tensorboard --logdir logs/03_tensorboard      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from shared.datasets import AntsBees, ants_and_bees
from shared.paths import new_run, print_where_to_look

POINTS = 100                  # 每条曲线有多少个点
MARGINS = (0, 40, 80, 120)    # 四边各裁掉多少像素，每个 step 用其中一个数

LOOK_AT = """
- Time Series 标签页，卡片“3 charts/1 y = x”：曲线下面的表格里，Smoothed 是 97.5，
  Value 是 99。在右侧的 Settings 里把 Smoothing 设为 0，表格里变成了什么？
- Time Series 标签页，卡片“3 charts/2 powers of x”：左侧的运行里，有一个名字以 x^2 结尾。
  取消它的勾选，图表有什么变化？
- Scalars 标签页：还是那几条曲线，不过 Smoothing 在左侧。
  把鼠标移到曲线上，可以看到各点的值。
- Images 标签页，卡片“3 pictures/1 six pixels”：第 1 行第 2 列是什么颜色？
  （最上面一行是第 0 行。）
- Images 标签页，卡片“3 pictures/4 ant, closer”：一开始显示的是最后一个 step，也就是 4。
  把滑块往左拖到 step 1，蚂蚁有什么变化？
"""

# %% SummaryWriter 把一次运行写进一个文件夹
# 程序从启动到结束写下的全部内容，叫作一次运行（run）。
# 每次运行都有自己的文件夹。要是两次运行写进同一个文件夹，
# TensorBoard 会把两次的点连成同一条曲线。
folder, drawn = ants_and_bees()
run = new_run(__file__, drawn=drawn)
print("folder of this run:", run)
# -> folder of this run: ...03_tensorboard...

writer = SummaryWriter(run)
writer.add_text("0 look at", LOOK_AT)    # 显示在 Text 标签页；0 让它排在最前面

# %% add_scalar 在图表上画一个点
# 标量（scalar）就是单个的数。我们来逐点画出 y = x。
for x in range(POINTS):
    writer.add_scalar(
        tag="3 charts/1 y = x",    # 曲线的名字：分组、/、标题
        scalar_value=x,            # 点的高低：纵轴
        global_step=x,             # 点的左右位置：横轴
    )

# 在 TensorBoard 里，每个 tag 显示成一张卡片，卡片归入各个分组。
# 这套课程里，tag 都以那一课的编号开头，这里是 3。
#
# 训练时，step 是迭代次数或轮数（epoch），后一个点的 step 必须比前一个大。
# 要是某个 step 反而小了，TensorBoard 会以为曲线从头开始，
# 还可能把前面的点丢掉。
#
# TensorBoard 默认会平滑曲线：把每个值换成这个值和前面各值的平均值，
# 越靠后的值分量越重。杂乱的曲线因此更容易看清。
# 但平滑过的曲线会滞后：这条曲线看上去停在 97.5。
# 把 Smoothing 设为 0，它就停在最后的值 99。

# %% add_scalars 把几条曲线画进同一张图表
for step in range(POINTS):
    x = step / POINTS
    values = {"x": x, "x^2": x**2, "x^3": x**3}
    writer.add_scalars("3 charts/2 powers of x", values, global_step=step)

# TensorBoard 说的“运行”是另一个意思：凡是写进过内容的文件夹，都算一个运行。
# add_scalars 为每条曲线建一个文件夹，放在这次运行的文件夹里。
# 所以 TensorBoard 在左边列出四个运行：这次运行本身（用本课最后打印的命令打开时，
# 名字是“.”），还有三条曲线，各算一个。
# 在文件夹的名字里，tag 里的 / 变成了 _：
for path in sorted(run.iterdir()):
    if path.is_dir():
        print("folder of a curve:", path.name)
# -> folder of a curve: 3 charts_2 powers of x_x
#    folder of a curve: 3 charts_2 powers of x_x^2
#    folder of a curve: 3 charts_2 powers of x_x^3

# %% 图片是一个数组：高 x 宽 x 通道
# 彩色图片的每个像素有三个数：红、绿、蓝各有多少，从 0（没有）到 255（最多）。
# 这就是图片的三个通道。数组（array）是 NumPy 里由数排成的表格，
# 维数不限。下面是一张只有六个像素的图片：
six = np.array([
    [[255, 0, 0], [0, 255, 0], [0, 0, 255]],          # 上面一行：红、绿、蓝
    [[0, 0, 0], [128, 128, 128], [255, 255, 0]],      # 下面一行：黑、灰、黄
], dtype=np.uint8)    # uint8：0 到 255 的整数

print("shape (height, width, channels):", six.shape)
# -> shape (height, width, channels): (2, 3, 3)
print("pixel in row 0, column 1, which is green:", six[0, 1])
# -> pixel in row 0, column 1, which is green: [  0 255   0]

# 冒号 : 代表所有的行，或者所有的列。
print("red channel of all pixels:", six[:, :, 0].tolist())
# -> red channel of all pixels: [[255, 0, 0], [0, 128, 255]]

# 照片也一样，只是像素更多。
picture, label = AntsBees(folder / "train", "ants")[0]
ant = np.array(picture)
print("the ant:", type(ant), ant.shape, ant.dtype)
# -> the ant: <class 'numpy.ndarray'> (512, 768, 3) uint8

# %% add_image 默认按“通道 x 高 x 宽”读图片，别的顺序要说明
# 各维的顺序有简称。HWC 是高、宽、通道，上面的数组就是这样，
# 由 PIL 图片转成的数组也都是这样。PyTorch 把通道放在最前面：CHW。
# add_image 要的也是 CHW。如果你的数组是 HWC，就用 `dataformats` 说明：
writer.add_image("3 pictures/1 six pixels", six, global_step=1, dataformats="HWC")
writer.add_image("3 pictures/2 ant, HWC", ant, global_step=1, dataformats="HWC")

# 也可以自己换顺序：第 2 维放到最前面，然后是第 0 维、第 1 维。
six_chw = six.transpose(2, 0, 1)    # (2, 3, 3) -> (3, 2, 3)
print("channel 0 comes first now:", six_chw[0].tolist())
# -> channel 0 comes first now: [[255, 0, 0], [0, 128, 255]]

ant_chw = ant.transpose(2, 0, 1)
print("HWC -> CHW:", ant.shape, "->", ant_chw.shape)
# -> HWC -> CHW: (512, 768, 3) -> (3, 512, 768)

# %% add_image 接受 NumPy 数组，也接受张量
# 张量就是 PyTorch 的数组（第 2 课）。不管是数组还是张量，
# 图片里的数要么是 0 到 255 的整数（uint8），要么是 0 到 1 的浮点数（float）。
# 不要用别的整数类型，例如 int64（创建 six 时要是不写 dtype=np.uint8，
# 得到的就是 int64）：add_image 会像对待浮点数那样，把这些整数也乘以 255，
# 显示出来的图片就错了。
six_tensor = torch.tensor(six_chw) / 255
print("red channel as fractions:", six_tensor[0])
# -> red channel as fractions: tensor([[1.0000, 0.0000, 0.0000],
#            [0.0000, 0.5020, 1.0000]])

ant_tensor = torch.tensor(ant_chw) / 255
writer.add_image("3 pictures/3 ant, CHW tensor", ant_tensor, global_step=1)

# %% add_image 不接受两样东西：顺序不对的数组，还有文件名
# 不写 dataformats，add_image 就会把蚂蚁的 512 行当成 512 个通道。
# 报错信息的末尾是“(1, 1, 512), |u1”：PIL 没有 512 个通道的图片。
# （两个 1 表示高任意，宽任意。|u1 是 NumPy 对 uint8 的简写。）
try:
    writer.add_image("3 pictures/wrong order", ant)
except TypeError as error:
    print("add_image with the channels last:", type(error).__name__, "-", error)
# -> add_image with the channels last: TypeError - ...512...

# 不是每次写错都会报错。那六个像素要是不写 dataformats，add_image 会把两行当成两个通道。
# 两个通道的图片确实有（灰度加透明度）。
# 所以不会报错，只会得到错误的图片。

# 文件名不是图片。请先把文件变成数组：np.array(Image.open(path))，
# 再传给 add_image，并写上 dataformats="HWC"。
try:
    writer.add_image("3 pictures/name of a file", "0013035.jpg")
except AssertionError as error:
    print("name of a file in the place of a picture:", type(error).__name__)
# -> name of a file in the place of a picture: AssertionError

# %% 同一个 tag 写入多个 step，就有了滑块
# 每个 step 裁掉的边都更宽，蚂蚁也就越来越近。
_, height, width = ant_chw.shape    # 3, 512, 768
for step, margin in enumerate(MARGINS, start=1):
    bottom, right = height - margin, width - margin
    closer = ant_chw[:, margin:bottom, margin:right]    # 所有通道；行；列
    writer.add_image("3 pictures/4 ant, closer", closer, global_step=step)

# %% 关闭 SummaryWriter，把还在内存里的内容写进文件夹
# 大多数课写成 `with SummaryWriter(run) as writer:`，用完会自动关闭。
writer.close()

# %% TensorBoard 画的是 --logdir 后面那个文件夹里的内容
# 下面的调用会打印一条命令和一个网址。打开终端，进入启动本课时所在的文件夹，
# 输入命令，然后在浏览器里打开那个网址。
#
# - 端口（port）是一个数。一台机器上有很多程序，浏览器靠端口找到 TensorBoard。
#   如果 TensorBoard 说端口 6006 已被占用，就在命令后面加上 `--port 6007`，
#   再打开 http://localhost:6007。
# - 程序跑在另一台机器上？那就在自己的机器上用
#   `ssh -L 6006:localhost:6006 user@machine` 登录过去，在那边启动 TensorBoard。
#   这样，在自己的机器上就能打开 http://localhost:6006。
# - 千万不要用 `--bind_all`。用了以后，别的机器也能连上 TensorBoard。
#   TensorBoard 不要密码，别人就能看到文件夹里的内容。
print_where_to_look(run, LOOK_AT)

# 试一试：
# - 改成 `scalar_value=2 * x`，再运行一次本课，然后查看本课的所有运行：
#   `tensorboard --logdir logs/03_tensorboard`。怎么看出哪条曲线属于哪次运行？
# - 把 y = x 那里改成 `global_step=POINTS - x`，让 step 越来越小。
#   曲线还剩下什么？
# - 把六个像素那里改成 `dataformats="WHC"`。在 TensorBoard 里，绿色的像素到哪里去了？
