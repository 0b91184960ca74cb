"""10. 损失说明网络错了多少，优化器让损失变小

网络是这样学习的：损失函数拿网络的答案和正确答案比较，
得出一个数，也就是损失。`backward` 算出网络的每个参数怎样影响这个数。
然后，优化器把每个参数改动一点点，让损失变小。
训练就是把这三步重复很多遍。

这三步，你都先手算一遍，用的数在纸上就算得出来。
然后用四种优化器训练第 9 课的小网络，看看网络学会了什么。

运行大约需要 20 到 45 秒，看处理器快慢。

    python lessons/zh/10_loss_backward_optim.py           运行本课
    tensorboard --logdir logs/10_loss_backward_optim      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import math

import torch
from PIL import Image, ImageDraw
from torch import nn, optim
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2
from tqdm import tqdm

from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10Network
from shared.paths import new_run, print_where_to_look

PICTURES = 300           # 训练和测试各用这么多张图片；少用一些，省时间
EPOCHS = 12              # 每一轮（epoch）里，网络把每张训练图片看一遍
BATCH_SIZE = 10          # 每一轮里，优化器走 300 / 10 = 30 步
PREDICTIONS_SHOWN = 3    # 最后给训练好的网络看几张测试图片

LOOK_AT = """
- Scalars 标签页：先在左侧把 Smoothing 设为 0，
  再关掉“Ignore outliers in chart scaling”，否则看不到 Adam 曲线的末尾。
  （分组如果是收起的，点一下分组的名字。）
- Scalars 标签页，分组“10 loss”：每种优化器一条曲线。把鼠标移到图表上，
  就能看到曲线的名字。哪种优化器的损失降得最快？哪种几乎不降？
- Scalars 标签页，分组“10 accuracy”：每种优化器一张卡片，里面有两条曲线，
  一条是训练图片的，一条是测试图片的。
  哪张卡片里，两条曲线最后离得最远？这就是过拟合。
- Images 标签页，分组“10 predictions”：预测错的，置信度是不是低一些？
- Histograms 标签页，分组“10 weights”：第一层的卷积核里，各个值分别出现了多少次。
  最远处是第一轮，最近处是最后一轮。
  用哪种优化器时，这座“山”变化最大？
"""

# %% 损失是一个数，说明预测错了多少
# 网络做了三个预测。每个预测都有一个目标值（target），也就是正确答案。
prediction = torch.tensor([1.0, 2.0, 3.0])
target = torch.tensor([4.0, -2.0, 5.0])

# 每个预测离目标值有多远？|1 - 4| = 3，|2 - (-2)| = 4，|3 - 5| = 2。
distance = (prediction - target).abs()
print("distances:", distance)
# -> distances: tensor([3., 4., 2.])

# L1 损失是这些距离的平均值：(3 + 4 + 2) / 3 = 3。如果预测全对，损失就是 0。
l1_loss = nn.L1Loss()
print("L1 loss by hand:", distance.mean(), "by PyTorch:", l1_loss(prediction, target))
# -> L1 loss by hand: tensor(3.) by PyTorch: tensor(3.)

# `reduction` 决定怎样处理这三个距离：取平均值（默认），求和，
# 或者三个都留下（"none"），形状和预测一样。
l1_sum = nn.L1Loss(reduction="sum")(prediction, target)
l1_none = nn.L1Loss(reduction="none")(prediction, target)
print("reduction='sum': ", l1_sum, "shape", tuple(l1_sum.shape))
print("reduction='none':", l1_none, "shape", tuple(l1_none.shape))
# -> reduction='sum':  tensor(9.) shape ()
#    reduction='none': tensor([3., 4., 2.]) shape (3,)

# 形状 () 表示只有一个数。用 L1 和 MSE 时，预测可以是任何形状，
# 但目标值的形状必须和预测相同。如果不同，要么报错，
# 要么只有一条警告，而算出的损失通常是错的。

# %% MSE（均方误差）把一个大误差看得比两个小误差更重
# 一个误差是 4，就算作 16；两个误差都是 2，只算作 4 + 4。
# 这里，距离的平方是 9、16 和 4，平均值是 29 / 3 = 9.6667。
squares = distance**2
mse_loss = nn.MSELoss()
print("MSE by hand:", squares.mean(), "by PyTorch:", mse_loss(prediction, target))
print("sum of the squares:", nn.MSELoss(reduction="sum")(prediction, target))
# -> MSE by hand: tensor(9.6667) by PyTorch: tensor(9.6667)
#    sum of the squares: tensor(29.)

# %% 正确类别的概率高，交叉熵就小
# L1 和 MSE 适合预测数值，例如价格。预测类别，要用交叉熵。
# 网络给每个类别打一个得分（logit），Softmax（第 8 课）把得分变成概率。
# 这些概率里只有一个算数：正确类别的概率 p。
# 给 p 取对数，再添个负号，就是损失。
for p in (0.99, 0.9, 0.5, 0.1, 0.01):
    print(f"probability of the right class {p:4.2f}: loss {-math.log(p):.3f}")
# -> probability of the right class 0.99: loss 0.010
#    probability of the right class 0.90: loss 0.105
#    probability of the right class 0.50: loss 0.693
#    probability of the right class 0.10: loss 2.303
#    probability of the right class 0.01: loss 4.605

# 记住 2.303 这个数：有十个类别时，什么都不会的网络给每个类别的概率都是 0.1，
# 损失就是 2.303。

# 三个类别，正确的是 1 号。（这几个得分加起来等于 1，只是碰巧。
# 得分还不是概率，可以是任何数。）
scores = torch.tensor([0.1, 0.7, 0.2])
right = torch.tensor(1)
probabilities = scores.softmax(dim=0)
print("probabilities:", probabilities)
# -> probabilities: tensor([0.2546, 0.4640, 0.2814])

cross_entropy = nn.CrossEntropyLoss()
print("cross entropy by hand:", -torch.log(probabilities[right]),
      "by PyTorch:", cross_entropy(scores, right))
# -> cross entropy by hand: tensor(0.7679) by PyTorch: tensor(0.7679)

# 还是这样算，但这回正确类别的得分低，损失就大了。
scores = torch.tensor([0.8, 0.1, 0.1])
print("cross entropy, if class 0 has the highest score:", cross_entropy(scores, right))
# -> cross entropy, if class 0 has the highest score: tensor(1.3897)

# nn.CrossEntropyLoss 要的是得分，Softmax 由损失函数自己做。
# 如果前面再放一个 Softmax，就做了两次。这样一来，哪怕答案完美，损失也离 0 很远：
perfect = torch.tensor([0.0, 20.0, 0.0])
one_softmax = cross_entropy(perfect, right)
two_softmax = cross_entropy(perfect.softmax(dim=0), right)
print(f"loss of a perfect answer: {one_softmax.item():.4f}")
print(f"the same, with a Softmax in front: {two_softmax.item():.4f}")
# -> loss of a perfect answer: 0.0000
#    the same, with a Softmax in front: 0.5514

# 一批 N 张图片，得分的形状是 (N, 10)，目标值的形状是 (N,)。
# 这一批的损失，是 N 张图片损失的平均值。

# %% 梯度就是斜率：参数变一点点，损失变多少
# 世上最小的网络：只有一个参数 w，预测值 = w * x。
# 网络要学的只有一个例子：x = 2 时，目标值是 6。所以正确的 w 是 3。
x = 2.0
y = 6.0


def loss_of(w):
    return (w * x - y) ** 2


for w in (1.0, 2.0, 3.0, 4.0):
    print(f"w = {w}: prediction {w * x}, loss {loss_of(w)}")
# -> w = 1.0: prediction 2.0, loss 16.0
#    w = 2.0: prediction 4.0, loss 4.0
#    w = 3.0: prediction 6.0, loss 0.0
#    w = 4.0: prediction 8.0, loss 4.0

# 从 w = 1 开始。w 大一点好，还是小一点好？把 w 增大一丁点，看看结果。
tiny = 0.001
print(f"loss at w = 1:     {loss_of(1.0):.6f}")
print(f"loss at w = 1.001: {loss_of(1.0 + tiny):.6f}")
# -> loss at w = 1:     16.000000
#    loss at w = 1.001: 15.984004

# w 增加了 0.001，损失减少了大约 0.016，是 0.001 的 16 倍。
# 这个比值就是损失在 w = 1 处的斜率，也叫梯度。
slope = (loss_of(1.0 + tiny) - loss_of(1.0)) / tiny
print(f"gradient, measured: {slope:.3f}")
# -> gradient, measured: -15.996

# 梯度的符号说明该往哪边走：负号表示 w 增大时，损失减小。
# 梯度的大小说明坡有多陡：这里，损失减小的速度是 w 增大速度的 16 倍。

# 微积分有现成的法则，不用试就能求出斜率。损失是 (w * x - y) ** 2 时，
# 斜率是 2 * (w * x - y) * x，在这里就是 2 * (2 - 6) * 2 = -16。
# （刚才量出来的并不正好是 -16，因为 0.001 虽然很小，但不是无穷小。）

# PyTorch 知道这些法则。写上 requires_grad=True，用 w 做的每一步计算都会记下来，
# `grad_fn` 是最后一条记录。backward 从损失出发，
# 沿着这些记录一路走回 w，把梯度写进 w.grad。
w = torch.tensor(1.0, requires_grad=True)
loss = (w * x - y) ** 2
print("loss:", loss)
# -> loss: tensor(16., grad_fn=<PowBackward0>)
loss.backward()
print("gradient, by backward:", w.grad)
# -> gradient, by backward: tensor(-16.)

# %% 逆着梯度走一步，损失就变小
# 梯度指出损失往哪边增大。那就往反方向走：从 w 里减去梯度。
# 把 -16 整个减掉，步子太大。所以先乘上一个小的数，
# 也就是学习率（learning rate，简称 lr）。
w = torch.tensor(1.0, requires_grad=True)
lr = 0.1
for step in range(1, 6):
    loss = (w * x - y) ** 2
    w.grad = None             # 清空上一次的梯度，原因下一个单元格再讲
    loss.backward()
    with torch.no_grad():     # 这一步不属于损失的计算，不用记录
        w -= lr * w.grad
    print(f"step {step}: loss {loss.item():7.4f},",
          f"gradient {w.grad.item():8.4f}, new w {w.item():.4f}")
# -> step 1: loss 16.0000, gradient -16.0000, new w 2.6000
#    step 2: loss  0.6400, gradient  -3.2000, new w 2.9200
#    step 3: loss  0.0256, gradient  -0.6400, new w 2.9840
#    step 4: loss  0.0010, gradient  -0.1280, new w 2.9968
#    step 5: loss  0.0000, gradient  -0.0256, new w 2.9994

# 网络学会了：w 是 3。越靠近谷底，坡越平，步子自然就变小了。
# 学得顺不顺利，要看学习率：
for lr in (0.01, 0.1, 0.3):
    w = 1.0
    for _ in range(5):
        gradient = 2 * (w * x - y) * x    # 上面的法则
        w -= lr * gradient
    print(f"learning rate {lr:4}: after 5 steps w = {w:.4f}, loss {loss_of(w):.4f}")
# -> learning rate 0.01: after 5 steps w = 1.6818, loss 6.9502
#    learning rate  0.1: after 5 steps w = 2.9994, loss 0.0000
#    learning rate  0.3: after 5 steps w = 13.7565, loss 462.8074

# 0.01 走得慢。0.3 一步就跳过了谷底，而且每次的落点都比起点更高。

# %% backward 把新梯度加到旧梯度上，所以每走一步都要先清空
w = torch.tensor(1.0, requires_grad=True)
print("before any backward:", w.grad)
loss_of(w).backward()
print("after one backward:", w.grad)
loss_of(w).backward()
print("after a second one:", w.grad, "(-16 and -16)")
w.grad = None
loss_of(w).backward()
print("cleared, then backward:", w.grad)
# -> before any backward: None
#    after one backward: tensor(-16.)
#    after a second one: tensor(-32.) (-16 and -16)
#    cleared, then backward: tensor(-16.)

# 为什么要相加？一次计算里，同一个参数可能用到好几次，
# 它的梯度就是各部分的和。但走每一步之前如果不清空，
# 用的就是到那时为止所有梯度的和。
# 而旧的梯度是用以前的 w 算的，已经过时了。

# %% 优化器替所有参数走这一步
# SGD（stochastic gradient descent，随机梯度下降）走的，就是你刚才走的那一步：
#     w -= lr * w.grad
# “随机”的意思是：训练时，每一步只看一批图片，
# 是哪一批，全凭运气。
w = torch.tensor(1.0, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)    # 要改的参数，学习率
for _ in range(5):
    loss = loss_of(w)
    optimizer.zero_grad()    # 清空梯度
    loss.backward()          # 算出新的梯度
    optimizer.step()         # 改参数
print(f"SGD, after 5 steps w = {w.item():.4f}")
# -> SGD, after 5 steps w = 2.9994

# %% 有了动量，一直朝一个方向走，步子就越来越大
# 球往山下滚，越滚越快：原来的速度大部分还在，坡又让它加速。
# momentum=0.9 的 SGD 也是这样：新速度 = 0.9 * 旧速度 + 梯度。
# 于是，每一步往下走的是 lr * 速度，而不是 lr * 梯度。
#
# 取一个参数 w，损失就是 w 本身。
# w 增加 1，损失也增加 1，所以梯度总是 1。
speed = 0.0
w_by_hand = 0.0
w = torch.tensor(0.0, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
for step in range(1, 4):
    speed = 0.9 * speed + 1.0
    w_by_hand -= 0.1 * speed

    optimizer.zero_grad()
    w.backward()             # w 就是损失
    optimizer.step()
    print(f"step {step}: speed {speed:.2f},",
          f"w by hand {w_by_hand:.3f}, by PyTorch {w.item():.3f}")
# -> step 1: speed 1.00, w by hand -0.100, by PyTorch -0.100
#    step 2: speed 1.90, w by hand -0.290, by PyTorch -0.290
#    step 3: speed 2.71, w by hand -0.561, by PyTorch -0.561

# 速度一直增大到 10 为止，因为 0.9 * 10 + 1 还是 10。
# 这时的步子，是没有动量时的十倍。但如果梯度的方向变来变去，
# 前后的梯度就互相抵消，步子一直大不起来。

# %% RMSprop 和 Adam 让每个参数有自己的步长
# var1 的梯度是 2，var2 的梯度是 0.002。用 SGD 的话，var1 走的距离是 var2 的一千倍。
# RMSprop 替每个参数记住最近几步的梯度平均有多大，再拿梯度除以这个平均值。
# 所以两个参数走得一样远，若干步之后，每步都走 lr 左右。
# Adam 从第一步起就是这样，另外还带动量。
var1 = torch.tensor(1.0, requires_grad=True)
var2 = torch.tensor(1.0, requires_grad=True)
optimizer = optim.Adam([var1, var2], lr=0.0001)
loss = 2 * var1 + 0.002 * var2
loss.backward()
optimizer.step()
print(f"after a step of Adam: var1 {var1.item():.4f}, var2 {var2.item():.4f}")
# -> after a step of Adam: var1 0.9999, var2 0.9999

# 优化器要的是张量的列表，例如 [var1, var2]，或者 network.parameters()。
# 每个张量都应该有 requires_grad=True，而且必须是叶子张量（leaf tensor），
# 也就是不由别的张量算出来的张量。不是叶子的，优化器不收。
try:
    optim.Adam([var1 * 2], lr=0.0001)
except ValueError as error:
    print("Adam over [var1 * 2]:", error)
# -> Adam over [var1 * 2]: can't optimize a non-leaf Tensor

# 没写 requires_grad=True 的张量，优化器照收。
# 但这样的张量得不到梯度，所以永远不变。

# %% 在网络里，backward 给每个参数算出梯度
torch.manual_seed(0)
network = CIFAR10Network()    # 第 9 课的小网络，有 145,578 个参数

# 这个变换把每张图片变成 float32 张量，值在 0...1 之间（第 4 课）。
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=1)
pictures, targets = next(iter(loader))    # 第一批，里面只有一张图片

outputs = network(pictures)    # (1, 3, 32, 32) -> (1, 10)
loss = cross_entropy(outputs, targets)
print("shape of the scores:", tuple(outputs.shape))
print("right class:", targets)
print(f"loss: {loss.item():.1f}")
# -> shape of the scores: (1, 10)
#    right class: tensor([3])
#    loss: 2.3

# 又是 2.3：这个网络还什么都不会。

weight = network.layers[0].weight    # 第一个卷积层的卷积核
print("gradient of the kernels before backward:", weight.grad)
# -> gradient of the kernels before backward: None

loss.backward()
print("shape of the kernels: ", tuple(weight.shape))
print("shape of the gradient:", tuple(weight.grad.shape))
# -> shape of the kernels:  (32, 3, 5, 5)
#    shape of the gradient: (32, 3, 5, 5)

# 这些卷积核里有 2,400 个数，每个数都有自己的梯度，含义和上面的 -16 相同：
# 只把这一个数变一点点，损失变多少。

# 用调试器可以看到这些梯度。在这个单元格的 loss.backward() 上面加一行 `breakpoint()`，
# 然后在终端里运行本课。
# Python 会停在那里，显示 (Pdb)，等你输入命令：
#     p network.layers[0].weight.grad    打印出 None
#     n                                  执行一行；重复输入，直到执行完 backward
#     p network.layers[0].weight.grad    打印出装满数的张量
#     c                                  接着运行本课
# 如果用 PyCharm 或 VS Code，就不写这一行，而是在行号旁边点一下，再启动调试器。
# 然后在变量列表里依次展开 network > layers > _modules > '0' > weight > grad。

# %% 亲手走一步 SGD：每个参数都逆着自己的梯度走
optimizer = optim.SGD(network.parameters(), lr=0.01)
by_hand = weight.detach() - 0.01 * weight.grad    # detach：只要数值
optimizer.step()
print("kernels by hand equal PyTorch's:", torch.allclose(weight, by_hand))
# -> kernels by hand equal PyTorch's: True

new_loss = cross_entropy(network(pictures), targets)
print("the loss of this picture is smaller now:", new_loss.item() < loss.item())
# -> the loss of this picture is smaller now: True

optimizer.zero_grad()
print("gradient after optimizer.zero_grad():", weight.grad)
# -> gradient after optimizer.zero_grad(): None

# %% 训练：每一轮里，对每一批图片都做 zero_grad、backward 和 step
# 网络只用训练图片学习，绝不用测试图片学习：
# 测试图片是用来检验的，看网络碰到没见过的图片表现怎么样。
train_data = cifar10(train=True, transform=to_tensor)

# 两个列表只建一次，元素是（图片，类别编号）。DataLoader 也可以用列表。
train_pictures = [train_data[index] for index in range(min(PICTURES, len(train_data)))]
test_pictures = [test_data[index] for index in range(min(PICTURES, len(test_data)))]


def accuracy(network, pictures):
    """答对的图片所占的比例。答对，就是正确类别的得分最高。"""
    correct = 0
    with torch.no_grad():    # 这里不学习，所以不需要梯度
        for inputs, targets in DataLoader(pictures, batch_size=50):
            scores = network(inputs)             # (50, 3, 32, 32) -> (50, 10)
            predictions = scores.argmax(dim=1)   # -> (50,)，每张图片一个类别编号
            correct += (predictions == targets).sum().item()
    return correct / len(pictures)


def train(network, optimizer, name):
    """把网络训练 EPOCHS 轮，返回训练过程的记录，给 TensorBoard 用。

    返回的字典里有四个字典：损失、两个准确率和权重，都是每轮记一次。
    和教程里一样，"loss" 和 "weights" 的键是步数：
    history["loss"][30] 是第 1 轮（第 1 到 30 步）的平均损失，
    history["loss"][60] 是第 2 轮（第 31 到 60 步）的平均损失。
    两个准确率的键是轮数：history["test accuracy"][2] 是第 2 轮结束后测得的。
    """
    history = {"loss": {}, "training accuracy": {}, "test accuracy": {}, "weights": {}}
    total_train_step = 0    # 优化器走了多少步
    loader = DataLoader(train_pictures, batch_size=BATCH_SIZE, shuffle=True)

    # tqdm 在终端里显示进度条，结束后擦掉。
    epochs = range(1, EPOCHS + 1)
    for epoch in tqdm(epochs, name, unit="epoch", disable=None, leave=False):
        total_loss = 0.0
        for pictures, targets in loader:
            outputs = network(pictures)    # (10, 3, 32, 32) -> (10, 10)
            loss = cross_entropy(outputs, targets)

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            # .item() 从张量里取出数值。张量还带着给 backward 用的记录：
            # 如果累加的是张量，所有批次的记录就会一直留着。
            total_loss += loss.item()
            total_train_step += 1

        history["loss"][total_train_step] = total_loss / len(loader)
        # clone 复制一份。不然，后面的训练会把这里的数也改掉。
        history["weights"][total_train_step] = network.layers[0].weight.detach().clone()

        total_test_step = epoch    # 测试了多少次：每轮结束后一次
        history["training accuracy"][total_test_step] = accuracy(network, train_pictures)
        history["test accuracy"][total_test_step] = accuracy(network, test_pictures)
    return history


# %% 四种优化器，用同样的图片训练同样的网络
# 如果都用同一个学习率，有的会嫌低，有的会嫌高。
# 所以每种优化器各用各的学习率，只有两个 SGD 用同一个。
# 这些并不是最好的学习率：没有动量的 SGD 用 0.01，就偏低了。
OPTIMIZERS = {
    # 教程里的学习率。
    "SGD": (optim.SGD, {"lr": 0.01}),
    # 学习率相同，这样两者只差在动量。
    "SGD with momentum": (optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    # PyTorch 的默认值是 0.01，在这里高得离谱：第一轮的损失超过 100,000。
    # 一共试了八个学习率，用 0.0003 时训练损失降得最多。
    "RMSprop": (optim.RMSprop, {"lr": 0.0003}),
    # PyTorch 的默认值。
    "Adam": (optim.Adam, {"lr": 0.001}),
}

networks = {}
histories = {}
for name, (make_optimizer, settings) in OPTIMIZERS.items():
    torch.manual_seed(0)    # 四种优化器都从同样的初始权重开始，批次也相同
    networks[name] = CIFAR10Network()

    # 第一次循环时，这就是 optim.SGD(networks["SGD"].parameters(), lr=0.01)。
    optimizer = make_optimizer(networks[name].parameters(), **settings)
    histories[name] = train(networks[name], optimizer, name)

    losses = list(histories[name]["loss"].values())
    first, last = losses[0], losses[-1]
    print(f"{name:17} loss of epoch 1: {first:.2f}, of epoch {EPOCHS}: {last:.2f},",
          "falling:", last < first)
# -> SGD               loss of epoch 1: 2.3..., of epoch 12: ..., falling: True
#    SGD with momentum loss of epoch 1: ..., of epoch 12: ..., falling: True
#    RMSprop           loss of epoch 1: ..., of epoch 12: ..., falling: True
#    Adam              loss of epoch 1: ..., of epoch 12: ..., falling: True

# %% 过拟合：网络认得训练用过的图片，换成别的图片就差远了
print(f"Accuracy on {PICTURES} training and {PICTURES} test pictures",
      f"({test_data.source}):")
for name, history in histories.items():
    train_accuracy = history["training accuracy"][EPOCHS]    # 最后一轮之后
    test_accuracy = history["test accuracy"][EPOCHS]
    print(f"{name:17} training {train_accuracy:4.0%}, test {test_accuracy:4.0%}")
# -> Accuracy on 300 training and 300 test pictures (...):
#    SGD               training  ...%, test  ...%
#    SGD with momentum training  ...%, test  ...%
#    RMSprop           training  ...%, test  ...%
#    Adam              training  ...%, test  ...%

# 随便猜，能猜对 10%。用 Adam 训练的网络，训练用过的图片几乎全答对，
# 别的图片答对的不到一半。
# 网络学到的是这 300 张图片，而不是怎样才算一只猫。
# 这就叫过拟合：训练准确率远远高于测试准确率。
adam = histories["Adam"]
gap = adam["training accuracy"][EPOCHS] - adam["test accuracy"][EPOCHS]
print("Adam: training accuracy is over 20 percentage points above test accuracy:",
      gap > 0.2)
# -> Adam: training accuracy is over 20 percentage points above test accuracy: True

# 最管用的办法是增加图片。第 12 课的图片多得多，
# 而且每次用都稍微变一变（数据增强）。

# %% 验证集用来做选择，测试集留到最后
# 训练准确率说明不了多少问题，所以要报告测试准确率。
# 但不要用测试准确率来选设置。假设你试了一百个学习率，留下测试准确率最高的那一个。
# 这个准确率有一部分是运气：那个学习率恰好适合这些图片。
# 换成新图片，准确率会低一些。

# 要选设置，就另取第三组图片，也就是验证集。
# 用训练图片训练，用验证图片比较各种设置，
# 测试图片留到最后，只用一次。

# 第 10 课和第 11 课没有验证集，因为这两课没有拿准确率做任何选择。
# 课里的设置，有的来自教程，有的是 PyTorch 的默认值，
# 有的是看训练损失定的（RMSprop），有的是看要花多少时间定的。
# 你也不要凭上面的表格来挑优化器：那就是拿测试准确率做选择了。
# 测试图片只有 300 张，相差五个百分点，可能只是偶然。
# （第 1 课的文件夹 `val`，名字是“验证”的意思，在本课程里却是测试集。）

# %% 让训练好的网络说说三张测试图片上是什么
network = networks["Adam"]
predictions = []
for index in range(PREDICTIONS_SHOWN):
    picture, target = test_pictures[index]
    with torch.no_grad():
        scores = network(picture.unsqueeze(0))    # (1, 3, 32, 32) -> (1, 10)
    probabilities = scores.softmax(dim=1)[0]      # -> (10,)
    guess = probabilities.argmax().item()

    # 预测出的那个类别的概率，叫作置信度。
    # 网络也可能信心十足，却答错了。
    text = (f"{test_data.classes[target]}: predicted {test_data.classes[guess]}, "
            f"confidence {probabilities[guess].item():.0%}")
    print(f"test picture {index}, {text}")
    predictions.append(text)
# -> test picture 0, cat: predicted ..., confidence ...%
#    test picture 1, ...: predicted ..., confidence ...%
#    test picture 2, ...: predicted ..., confidence ...%

# %% 在 TensorBoard 里看损失、过拟合、权重和预测
run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)

    for number, (name, history) in enumerate(histories.items(), start=1):
        # 最后一个参数是横轴上的位置：损失和权重用优化器的步数，
        # 准确率用轮数。
        for step, loss in history["loss"].items():
            writer.add_scalars("10 loss/mean of each epoch", {name: loss}, step)

        for epoch in history["test accuracy"]:
            both = {"training": history["training accuracy"][epoch],
                    "test": history["test accuracy"][epoch]}
            writer.add_scalars(f"10 accuracy/{number} {name}", both, epoch)

        for step, weights in history["weights"].items():
            # 学习率高得离谱时，权重会变成 nan（不是数）。
            # 这样的权重画不出直方图，所以跳过。
            if weights.isfinite().all():
                writer.add_histogram(f"10 weights/{number} {name}", weights, step)

    for index, text in enumerate(predictions):
        picture = enlarge(test_pictures[index][0], 10)    # (3, 32, 32) -> (3, 320, 320)
        card = Image.new("RGB", (320, 350), "white")      # 留出一行文字的位置
        card.paste(v2.functional.to_pil_image(picture))
        ImageDraw.Draw(card).text((5, 325), text, fill="black", font_size=16)
        writer.add_image(f"10 predictions/test picture {index}", to_tensor(card))

print_where_to_look(run, LOOK_AT)

# 试一试：
# - 给 SGD 用 `lr=0.03`，再用 `lr=0.1`：学得更快吗？用 0.1 时，损失变成了什么？
#   （nan 的意思是：不是数。）
# - 从 `train` 里去掉 `optimizer.zero_grad()`：损失还会下降吗？
# - `BATCH_SIZE = 50`：每一轮不是 30 步，而是 6 步。损失能降到多低？
