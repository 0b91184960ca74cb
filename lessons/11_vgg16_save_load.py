"""11. Take a network that others trained, change its last layer, save what you trained

VGG16 is a large network. It was trained to say which of 1,000 kinds of things a picture
shows. What it has learnt is useful for other tasks, too. Here you change it to ten
classes, in two ways, and compare both with the small network of lesson 9.

Then you save what you trained, load it again, and see why it can be dangerous to load a
file.

It takes 20 to 45 seconds. The weights of VGG16 are a file of 553 MB, which is
downloaded once. Without this file, the lesson goes on with random weights.

    python lessons/11_vgg16_save_load.py              runs it
    tensorboard --logdir logs/11_vgg16_save_load      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

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

PICTURES = 300           # to train with, and as many to test with, as in lesson 10
EPOCHS = 12              # as in lesson 10
BATCH_SIZE = 10          # as in lesson 10
LEARNING_RATE = 0.001    # PyTorch's default for Adam
SIZE = 64                # VGG16 gets pictures of 64x64 pixels, enlarged from 32x32;
                         # it was made for 224x224, which takes 12 times as long

LOOK_AT = """
- Text tab, card "11 table": the accuracy of the three networks. Which is the best one?
  Is each of them better than a guess, which is right for 10 % of the pictures?
- Scalars tab: on the left side, first set Smoothing to 0. Then switch "Ignore outliers
  in chart scaling" off. The group "11 accuracy" shows the accuracy on the test pictures
  after each epoch. Move the mouse over the chart to see the names. Whose curve is the
  highest?
- Images tab, group "11 first layer": a test picture, and 16 feature maps that the first
  layer of VGG16 makes of it. A map is bright where its kernel has found its pattern.
  Which maps show the outlines of things, which show dark or bright places? (Without the
  ImageNet weights the patterns are random, and few maps show outlines.)
"""

# %% VGG16 is ready to use, but its weights are a file of 553 MB
# torchvision.models has networks that others designed. VGG16 has 16 layers with
# weights. They were trained on ImageNet, 1.2 million pictures of 1,000 kinds of things.

# Each set of weights has a name. DEFAULT is the set that torchvision recommends for
# this network. (A newer torchvision may recommend another one.) This line only chooses
# a name, and downloads nothing. weights.meta is a dict that describes the set.
weights = VGG16_Weights.DEFAULT
print("DEFAULT is:", weights)
print("kinds of things:", len(weights.meta["categories"]))
print("the first three kinds:", weights.meta["categories"][:3])
# -> DEFAULT is: VGG16_Weights.IMAGENET1K_V1
#    kinds of things: 1000
#    the first three kinds: ['tench', 'goldfish', 'great white shark']

# torchvision would put its downloads into a hidden folder, .cache/torch/hub in your
# home folder. (This is so on Windows, too.) To choose another folder, the tutorial
# edits a file of PyTorch. This line is enough:
torch.hub.set_dir(MODELS / "hub")
print("torchvision looks for weights in:", torch.hub.get_dir())
# -> torchvision looks for weights in: ...hub

# vgg16() has random weights. vgg16(weights=weights) would download the trained ones,
# and show a progress bar. With progress=False there is no bar. inspect.signature tells
# which arguments a function has, and their defaults:
arguments = inspect.signature(vgg16).parameters
print("vgg16's argument `progress` has the default:", arguments["progress"].default)
# -> vgg16's argument `progress` has the default: True

# In a program of your own, vgg16(weights=weights) is enough. The lesson does it step by
# step, so that it can go on without the internet:
#
# - fetch_if_possible downloads the file, if it is not there yet, to where torchvision looks
#   for it. Without the internet it returns None.
# - weights.get_state_dict reads the file. It gives a state_dict, a dict with the numbers of
#   all layers (more about it further down). weights_only=True forbids the file to run code.
#   (The last cells show a file that does. check_hash=True checks a download for damage.)
# - load_state_dict puts these numbers into the network.
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

# %% `pretrained=` is the old name of `weights=`
# Older texts write vgg16(pretrained=True). It has been deprecated since torchvision
# 0.13: it still works, with two warnings, but may be removed some day. Instead of True,
# write weights=VGG16_Weights.DEFAULT. Instead of False, write weights=None, or nothing.

# Here we only want to catch the warnings and print them. The call also builds a network,
# which we do not need. So we build it on the device "meta". A device (lesson 1) is where
# tensors are kept and calculated with. "meta" is not a real one: a tensor there has a shape
# but no numbers, so it takes almost no time and memory.
with warnings.catch_warnings(record=True) as caught, torch.device("meta"):
    warnings.simplefilter("always")
    vgg16(pretrained=False)
print("number of warnings:", len(caught))
print("the first warning:", caught[0].message)
# -> number of warnings: 2
#    the first warning: The parameter 'pretrained' is deprecated since 0.13 and ...


# %% VGG16 is 13 convolutions and 3 linear layers
# print(vgg) would print forty lines. This function prints one line about a network.
# "Trainable" are the parameters that an optimizer can change: requires_grad is True.
def describe(name, network):
    """Prints how many layers and parameters a network has."""
    convolutions = linear_layers = parameters = trainable = 0
    for layer in network.modules():    # all layers, also those inside others
        if isinstance(layer, nn.Conv2d):
            convolutions += 1
        if isinstance(layer, nn.Linear):
            linear_layers += 1
    for parameter in network.parameters():
        parameters += parameter.numel()    # how many numbers it has
        if parameter.requires_grad:
            trainable += parameter.numel()
    print(f"{name}: {convolutions} Conv2d, {linear_layers} Linear,",
          f"{parameters:,} parameters, {trainable:,} trainable")


describe("VGG16", vgg)
describe("small network of lesson 9", CIFAR10Network())
# -> VGG16: 13 Conv2d, 3 Linear, 138,357,544 parameters, 138,357,544 trainable
#    small network of lesson 9: 3 Conv2d, 2 Linear, 145,578 parameters, ... trainable

# VGG16 has three parts: the convolutions with their poolings, an average pooling, and
# the linear layers. This last part, the classifier, has seven layers: Linear, ReLU, Dropout,
# Linear, ReLU, Dropout, Linear. Counted from 0, the last of all is number 6. It gives 1,000
# scores, one for each kind.
print("parts:", [name for name, _ in vgg.named_children()])
print("last layer:", vgg.classifier[6])
# -> parts: ['features', 'avgpool', 'classifier']
#    last layer: Linear(in_features=4096, out_features=1000, bias=True)

# %% Transfer learning: keep what a network has learnt, and train a new last layer
# The first layers of VGG16 find edges and colours. Later layers combine these to more
# and more complex patterns, such as fur or a wheel. The linear layer before the last
# one gives 4096 numbers. Each says how much of a certain pattern is in the picture.
# These numbers are called features. (vgg.features is something else: the convolutions and
# their poolings.)

# Such features help with other pictures, too: fur means a cat rather than a ship. This is
# transfer learning: a network has learnt one task, and you use that for another one.

# The old layers must not change now. So we freeze them. A frozen parameter has
# requires_grad=False: backward gives it no gradient, and no optimizer changes it.
# (The _ at the end of requires_grad_ means that it changes the network itself.)
#
# In this lesson the optimizer will get only the new layer. But a program may give it all
# parameters of a network. Then freezing is what keeps the old layers as they are.
vgg.requires_grad_(False)

# VGG16 has Dropout layers. In training they set some values to zero, by chance. eval()
# switches that off, so that a picture always has the same features (lesson 12).
vgg.eval()

describe("VGG16, frozen", vgg)
# -> VGG16, frozen: 13 Conv2d, 3 Linear, 138,357,544 parameters, 0 trainable

# %% Prepare your pictures in the same way as the network's training pictures
# Each set of weights comes with its transform: resize, crop, scale to 0...1, then
# Normalize (lesson 4) with the mean and the standard deviation of ImageNet's three
# channels.
as_trained = weights.transforms()
print("the transform resizes to", as_trained.resize_size, "pixels,",
      "and crops to", as_trained.crop_size)
print("mean:", as_trained.mean, "standard deviation:", as_trained.std)
# -> the transform resizes to [256] pixels, and crops to [224]
#    mean: [0.485, 0.456, 0.406] standard deviation: [0.229, 0.224, 0.225]

# VGG16 gets the same transform here, but with SIZE instead of 256 and 224.
for_vgg = weights.transforms(resize_size=SIZE, crop_size=SIZE)

# The small network gets the transform of lesson 10.
for_small = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

train_data = cifar10(train=True)
test_data = cifar10(train=False)


def prepare(data, transform):
    """The first PICTURES pictures of a data set: (300, 3, height, width)."""
    pictures = []
    for index in range(min(PICTURES, len(data))):
        picture, _ = data[index]
        pictures.append(transform(picture))
    return torch.stack(pictures)


train_targets = torch.tensor(train_data.targets[:PICTURES])
test_targets = torch.tensor(test_data.targets[:PICTURES])

# %% Frozen layers always give the same features, so compute them once
# Training shows each picture 12 times (EPOCHS). The frozen layers would compute the
# same features each time. So let them run once. Then only the new layer runs in each
# epoch, and the training takes seconds instead of minutes.
#
# Five poolings have halved our 64x64 pixels to 2x2. avgpool, which takes the mean of each
# window, always gives 7x7 numbers in each channel, whatever comes in. So here, unlike other
# poolings, it makes the map larger: of a row of two numbers a, b it makes a a a m b b b, where
# m is their mean. It does the same with the columns.
all_but_last = nn.Sequential(
    vgg.features,          # (N, 3, 64, 64) -> (N, 512, 2, 2)
    vgg.avgpool,           # -> (N, 512, 7, 7)
    nn.Flatten(),          # -> (N, 25088)
    vgg.classifier[:6],    # -> (N, 4096): the classifier without its last layer
)
last_layer = vgg.classifier[6]


def features_of(pictures):
    """What the frozen layers make of the pictures: (300, 3, 64, 64) -> (300, 4096)."""
    batches = pictures.split(50)    # 50 at a time, so that little memory is needed
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
    """Trains as in lesson 10. Returns the test accuracy after each epoch."""
    # TensorDataset is a Dataset made of tensors. Sample i is (inputs[i], targets[i]).
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
        # True counts as 1, False as 0. So the mean is the share of right predictions.
        accuracies.append((predictions == test_targets).float().mean().item())
    return accuracies


# %% The first way: add a layer behind the last one
# The new layer turns the 1,000 scores into ten. The last layer of VGG16 is frozen, too.
# So its 1,000 scores are computed once.
with torch.no_grad():
    train_scores = last_layer(train_features)    # (300, 4096) -> (300, 1000)
    test_scores = last_layer(test_features)

torch.manual_seed(0)
add_linear = nn.Linear(1000, 10)
accuracies = {}    # of each network: its test accuracy after each epoch
accuracies["VGG16, add_linear"] = train(
    add_linear, train_scores, test_scores, "add_linear")

# Put the trained layer where it belongs: add_module adds a layer at the end, with a name.
# (The tutorial adds the same layer, but then trains the whole network.)
vgg.classifier.add_module("add_linear", add_linear)
describe("VGG16, add_linear", vgg)
# -> VGG16, add_linear: 13 Conv2d, 4 Linear, 138,367,554 parameters, 10,010 trainable

# The whole network gives the same scores as the new layer that was trained alone. Only
# the rounding differs, so allclose allows small differences: a thousandth of the number
# (rtol), plus 0.0001 (atol).
with torch.no_grad():
    whole_scores = vgg(vgg_test_pictures[:2])    # (2, 3, 64, 64) -> (2, 10)
    layer_scores = add_linear(test_scores[:2])   # (2, 1000) -> (2, 10)
print("whole network and new layer give the same scores:",
      torch.allclose(whole_scores, layer_scores, rtol=1e-3, atol=1e-4))
# -> whole network and new layer give the same scores: True

# %% The second way: replace the last layer
# This is the usual way. The new layer turns the 4096 features into ten scores, and no 1,000
# scores come between. (The two last layers of the first way have no ReLU between them. So
# together they are one linear layer, as in lesson 8. But one of the two is frozen: only
# 10,010 numbers learn. Here, all 40,970 numbers of the layer do.)
torch.manual_seed(0)
replaced = nn.Linear(4096, 10)
accuracies["VGG16, last layer replaced"] = train(
    replaced, train_features, test_features, "last layer replaced")

vgg.classifier = vgg.classifier[:7]    # layers 0 to 6, as before: without add_linear
vgg.classifier[6] = replaced
describe("VGG16, last layer replaced", vgg)
# -> VGG16, last layer replaced: 13 Conv2d, 3 Linear, 134,301,514 parameters, 40,970 ...

# %% The small network of lesson 9 learns from the same pictures, for comparison
torch.manual_seed(0)
small = CIFAR10Network()    # nothing in it is frozen
train_pictures = prepare(train_data, for_small)
test_pictures = prepare(test_data, for_small)
accuracies["small network of lesson 9"] = train(
    small, train_pictures, test_pictures, "small network")

title = f"Test accuracy on {len(test_targets)} pictures ({test_data.source})"
title += f", VGG16 with {start}:"
print(title)
for name, values in accuracies.items():
    print(f"{name:27} {values[-1]:.0%}")    # after the last epoch
# -> Test accuracy on 300 pictures (...), VGG16 with ... weights:
#    VGG16, add_linear           ...%
#    VGG16, last layer replaced  ...%
#    small network of lesson 9   ...%

# With random weights, VGG16 has learnt nothing. Its features say little about a
# picture, so the new layer cannot learn much from them. The small network trains all of
# its layers, and reaches a higher accuracy.

# With ImageNet's weights, VGG16 has learnt from 1.2 million pictures. The tutorial trains all
# of it again, and reports that it is then much better than the small network. With all but
# one layer frozen, as here, we have not measured it. See for yourself: when there is
# internet, this lesson downloads the weights.

# With 300 test pictures, a difference of a few points between two networks may be chance.

# The small network's accuracy is not that of lesson 10 (with Adam), though the seed is the
# same. Lesson 10 tests with DataLoaders, and each loop over a DataLoader takes a random
# number, even without shuffle. This lesson tests without them. So after the first epoch the
# training pictures come in another order here than there.

# %% Save a state_dict: the name and the numbers of each parameter
# new_run makes the folder of this run for TensorBoard. models_folder makes one for the
# files of this run, models/11_vgg16_save_load/<date and time>.
run = new_run(__file__, drawn=test_data.drawn)
folder = models_folder(run)

# torch.save makes a file, but no folder. If the folder is not there, it fails:
try:
    torch.save(add_linear.state_dict(), folder / "not there" / "add_linear.pt")
except (RuntimeError, FileNotFoundError) as error:    # PyTorch raises one or the other
    print("no such folder:", error)
# -> no such folder: ...not there...

# The state_dict is a dict: the name of each parameter, and its tensor. (Other numbers that
# a layer keeps are in it, too. Lesson 12 has such layers: BatchNorm.)
for name, tensor in add_linear.state_dict().items():
    print("in the state_dict of add_linear:", name, tuple(tensor.shape))
# -> in the state_dict of add_linear: weight (10, 1000)
#    in the state_dict of add_linear: bias (10,)

# How large would the file be with all of VGG16 in it? Each number takes 4 bytes.
numbers = sum(parameter.numel() for parameter in vgg.parameters())
print(f"all of VGG16, last layer replaced: {numbers * 4 / 1e6:.0f} MB")
# -> all of VGG16, last layer replaced: 537 MB

# But of VGG16 we trained only the new layers. All its other numbers can be downloaded
# again (if they are ImageNet's, and not random). So it is enough to save the new layers,
# and the small network.
torch.save(add_linear.state_dict(), folder / "add_linear.pt")
torch.save(replaced.state_dict(), folder / "replaced.pt")
torch.save(small.state_dict(), folder / "small.pt")
for file in sorted(folder.glob("*.pt")):
    print(f"{file.name}: {file.stat().st_size // 1000} kB")
# -> add_linear.pt: 4... kB
#    replaced.pt: 16... kB
#    small.pt: 58... kB

# The end of a file's name means nothing to PyTorch. .pt, .pth and .pkl all work. (The
# tutorial has .pth and .pkl.)

# %% Load a state_dict: build the same network first, then fill in its numbers
# map_location="cpu": put the tensors into the computer's main memory, even if they were
# saved from a GPU. Then the file loads on a machine without a GPU, too.
# weights_only=True makes loading safe (explained two cells below). It is the default since
# PyTorch 2.6. We write it for older versions of PyTorch.
# "Keys" in the output are the names in the state_dict.
state = torch.load(folder / "add_linear.pt", map_location="cpu", weights_only=True)
loaded = nn.Linear(1000, 10)
print("load_state_dict says:", loaded.load_state_dict(state))
print("the loaded layer gives the same scores:",
      torch.equal(loaded(test_scores), add_linear(test_scores)))
# -> load_state_dict says: <All keys matched successfully>
#    the loaded layer gives the same scores: True

# %% A state_dict fits only a network with the same layers
# The tutorial saves the network with add_linear, and loads it into a plain vgg16().
# That fails. (Here on the device "meta" again, to save time.)
with torch.device("meta"):
    plain = vgg16()
    changed = vgg16()
    changed.classifier.add_module("add_linear", nn.Linear(1000, 10))
try:
    plain.load_state_dict(changed.state_dict())
except RuntimeError as error:
    print("into a plain vgg16():", str(error).splitlines()[1].strip())
# -> into a plain vgg16(): Unexpected key(s) in state_dict: "classifier.add_linear...

# The state_dict has two names that the plain network does not have. So first change the
# new network in the same way, and then load.
state = changed.state_dict()
plain.classifier.add_module("add_linear", nn.Linear(1000, 10, device="meta"))
print("with add_linear:", plain.load_state_dict(state))
# -> with add_linear: <All keys matched successfully>

# %% A whole network is saved as a pickle, and a pickle can run code when it is loaded
# torch.save(network) saves the whole object, with pickle. Pickle is Python's way to
# write any object into a file. The class of the object is not in the file, only its
# name. A pickle may also say: to build this object, call this function. It can be any
# function. In this example it is print.
class Surprise:
    def __reduce__(self):    # pickle asks: how is this object built?
        return print, ("This file has just run code of its own.",)


torch.save(small, folder / "whole_network.pt")
torch.save(Surprise(), folder / "surprise.pt")

# That is why torch.load has weights_only=True as its default, since PyTorch 2.6. It
# then builds tensors, dicts, numbers and the like, and refuses everything else.
for name in ("whole_network.pt", "surprise.pt"):
    try:
        torch.load(folder / name)
    except pickle.UnpicklingError as error:
        print(f"{name} is refused: {type(error).__name__}")
# -> whole_network.pt is refused: UnpicklingError
#    surprise.pt is refused: UnpicklingError

# weights_only=False loads both files, and runs what they say. Do that only with files
# that you made yourself. This one prints a line. It could have deleted your pictures.
torch.load(folder / "surprise.pt", weights_only=False)
# -> This file has just run code of its own.
whole = torch.load(folder / "whole_network.pt", weights_only=False)
print("loaded with weights_only=False, a network of the class:", type(whole).__name__)
# -> loaded with weights_only=False, a network of the class: CIFAR10Network

# %% safe_globals names the classes that a file may build
# Inside `with safe_globals(classes)`, torch.load also builds objects of these Python
# classes, and still refuses everything else. This is safer than weights_only=False.
classes = [CIFAR10Network, nn.Sequential]
classes += [nn.Conv2d, nn.MaxPool2d, nn.Flatten, nn.Linear]    # its layers
with torch.serialization.safe_globals(classes):
    whole = torch.load(folder / "whole_network.pt")
print("the loaded network gives the same scores:",
      torch.equal(whole(test_pictures[:2]), small(test_pictures[:2])))
# -> the loaded network gives the same scores: True

# To load a whole network, Python needs its class. So it must import the Python file in
# which the class is defined, and an import runs the whole file. In the tutorial, that file
# also saves a new network. So the import overwrites the network that you want to load.
#
# Therefore CIFAR10Network has a Python file of its own, shared/networks.py. This file
# only defines classes, so it can be imported without harm.

# In short: save the state_dict. It holds tensors only, so weights_only=True can stay.

# %% TensorBoard shows the three accuracies, and what VGG16's first layer sees
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

    first_layer = vgg.features[:2]                   # a convolution and its ReLU
    maps = first_layer(vgg_test_pictures[:1])        # (1, 3, 64, 64) -> (1, 64, 64, 64)
    maps = maps[0, :16].unsqueeze(1)                 # 16 grey pictures: (16, 1, 64, 64)
    brightest = maps.amax(dim=(2, 3), keepdim=True)  # of each map: (16, 1, 1, 1)
    maps = maps / brightest.clamp(min=1e-6)          # 0...1, and no division by zero
    grid = make_grid(enlarge(maps, 2), nrow=4)       # one picture, four maps in a row
    writer.add_image("11 first layer/2 feature maps", grid)

print_where_to_look(run, LOOK_AT)

# Try next:
# - SIZE = 32: what happens to the accuracies, and to the time?
# - replaced = nn.Sequential(nn.Linear(4096, 64), nn.ReLU(), nn.Linear(64, 10)): are two
#   new layers better than one?
# - Take nn.Flatten out of the list for safe_globals: what does the error say?
