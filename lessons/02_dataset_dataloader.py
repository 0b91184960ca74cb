"""02. A Dataset knows one sample, a DataLoader makes batches of them

A sample is one example to learn from. Here it is a picture with its label; the label is
the name of what the picture shows. PyTorch splits the work with samples in two:

- A Dataset answers two questions: how many samples are there, and what is sample i?
- A DataLoader asks the Dataset for samples and groups them into batches. A batch is
  several samples that a network gets at the same time.

Think of a pack of cards. The Dataset is the pack. The DataLoader shuffles it and hands
out the cards, a few at a time.

At the end you see batches in TensorBoard, a program that shows in your browser what a
lesson wrote. Lesson 3 explains it.

It takes about 7 seconds, and longer if it downloads CIFAR-10 (170 MB), the first time.

    python lessons/02_dataset_dataloader.py              runs it
    tensorboard --logdir logs/02_dataset_dataloader      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2    # the newer of two generations: lesson 4

from shared.datasets import AntsBees, ants_and_bees, cifar10, enlarge
from shared.paths import new_run, print_where_to_look

# The settings of this lesson. Skip them for now: each is explained where it is used.
SUFFIXES = (".jpg", ".jpeg", ".png")    # a file with another suffix is left out
SEED = 0             # where the random numbers begin
EPOCHS = 2           # how many times we go through the data
BATCHES_SHOWN = 4    # batches of each epoch in TensorBoard; more would only take time
WORKERS = 2          # processes that read pictures; set 1 if your machine has one core

# The end of the lesson prints this text: what to look at in TensorBoard.
LOOK_AT = """
- Images tab, group "2 shuffled". It has two cards; a card is a picture with its title
  and its slider. Both cards show their last step, batch 4, at first. Move both sliders
  to the left, to step 1. Do epoch 1 and epoch 2 begin with the same pictures?
- Click on the picture of a card to make it larger. Does one batch show things of one
  kind only, or of several kinds?
"""


# %% A Dataset is a class with __len__ and __getitem__
# Ours is for the pictures in one folder. They all have the same label.
class MyData(Dataset):
    def __init__(self, root_dir, label_dir, transform=None):
        self.root_dir = root_dir      # such as data/hymenoptera_data/train
        self.label_dir = label_dir    # the folder in it, which is also the label: ants
        self.transform = transform    # a function that changes each picture, or None

        folder = Path(root_dir) / label_dir
        if not folder.is_dir():
            # Some copies of this data set call the folder ants_image.
            folder = Path(root_dir) / f"{label_dir}_image"

        # Only the paths are collected here. A picture is opened when it is asked for.
        # So a data set may be larger than the memory.
        self.paths = []
        for path in sorted(folder.iterdir()):
            # Leave out hidden files (lesson 1) and files of another kind. Among the
            # photographs of ants there is one, imageNotFound.gif, and it is no ant.
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                self.paths.append(path)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        # PIL is a library that opens pictures; Image is from it. Why RGB: see below.
        picture = Image.open(self.paths[index]).convert("RGB")
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, self.label_dir


# This lesson starts other processes. Such a program needs its code in a function; the
# comment above `if __name__`, near the end, says why. So run the lesson as a whole, not cell
# by cell: here `# %%` only marks the sections.
def main():
    # %% len() and [i] call the two methods
    folder, _ = ants_and_bees()
    train = folder / "train"
    ants = MyData(train, "ants")

    print("pictures of ants:", len(ants))    # len(ants) calls ants.__len__()
    # -> pictures of ants: ...

    picture, label = ants[0]                 # ants[0] calls ants.__getitem__(0)
    print("picture 0:", picture)
    # -> picture 0: <PIL.Image.Image image mode=RGB size=768x512 at 0x...>
    print("label 0:", label)
    # -> label 0: ants

    # picture.show() would open it in a window.

    # Subset takes some samples of a Dataset, and is a Dataset itself. A for loop over a
    # Dataset asks for sample 0, 1, 2 and so on. It does not use __len__: it goes on until
    # [i] raises an IndexError, here [5]. Python catches this error, and the loop ends.
    labels = []
    for _, label in Subset(ants, range(5)):
        labels.append(label)
    print("labels of the first five:", labels)
    # -> labels of the first five: ['ants', 'ants', 'ants', 'ants', 'ants']

    # The next lessons import a class that does the same, AntsBees.
    same = ants[0][0] == AntsBees(train, "ants")[0][0]
    print("picture 0 equals that of AntsBees:", same)
    # -> picture 0 equals that of AntsBees: True

    # %% convert("RGB") gives each picture three channels
    # A channel holds one number for each pixel. A colour picture has three channels:
    # red, green and blue (RGB). A grey picture has one, and a PNG with transparent
    # parts has four. A network needs the same number of channels in every picture, so
    # each is made RGB.
    grey = Image.new("L", size=(100, 83))    # "L" is PIL's name for grey
    print("channels of a grey picture:", grey.getbands())
    # -> channels of a grey picture: ('L',)
    print("channels after convert:", grey.convert("RGB").getbands())
    # -> channels after convert: ('R', 'G', 'B')

    # %% Two data sets add up to one, a ConcatDataset
    bees = MyData(train, "bees")
    both = ConcatDataset([ants, bees])
    print("ConcatDataset has all samples:", len(both) == len(ants) + len(bees))
    # -> ConcatDataset has all samples: True

    # both[0] is a pair: picture and label. both[0][1] is the label.
    print("label of its first sample:", both[0][1])
    # -> label of its first sample: ants
    print("label of the sample after the last ant:", both[len(ants)][1])
    # -> label of the sample after the last ant: bees

    # The sign + makes the same:
    print("ants + bees is a:", type(ants + bees).__name__)
    # -> ants + bees is a: ConcatDataset

    # In this way you can also get more training data: add the same pictures once more,
    # but changed a little. (Lesson 4 has a better way: change them anew each time.)

    # %% A transform makes something else of each picture: here, a tensor
    # A tensor is PyTorch's array: a row of numbers (one dimension), rows and columns (two
    # dimensions), or more. A transform is an object that you call like a function, with a
    # picture. It gives back another picture, or a tensor. Compose chains transforms. Lesson
    # 4 is about them.
    # (The Image in ToImage is not PIL's. It is torchvision's own kind of tensor, one
    # that holds a picture.)
    to_tensor = v2.Compose([
        v2.ToImage(),                             # picture -> tensor, numbers 0...255
        v2.ToDtype(torch.float32, scale=True),    # 0...255 -> floats, 0...1
    ])
    # Any size -> 83 pixels high, 100 wide. (Another size would do as well. PIL's sizes, as
    # above, have the width first, torchvision's the height.)
    resize = v2.Resize((83, 100))
    resize_to_tensor = v2.Compose([resize, to_tensor])

    # Our Dataset calls it with each picture. 24 ants are enough here.
    few = Subset(MyData(train, "ants", resize_to_tensor), range(24))
    tensor, label = few[0]

    # The shape of a tensor is its size in each dimension: channels, height, width.
    print("shape of sample 0:", tensor.shape)
    # -> shape of sample 0: torch.Size([3, 83, 100])

    # %% A DataLoader calls __getitem__ and puts the samples together
    # First a batch of three by hand. torch.stack makes one tensor of several. They must
    # have the same shape. That is why all pictures were resized to one size.
    by_hand = torch.stack([few[0][0], few[1][0], few[2][0]])
    print("shape of the batch by hand:", by_hand.shape)    # 3 samples of (3, 83, 100)
    # -> shape of the batch by hand: torch.Size([3, 3, 83, 100])

    # A DataLoader does the same. `next(iter(loader))` is the batch that a for loop over
    # the loader would get first.
    loader = DataLoader(few, batch_size=3)
    pictures, labels = next(iter(loader))
    print("by hand equals DataLoader:", torch.equal(by_hand, pictures))
    # -> by hand equals DataLoader: True

    # The labels are words, and words come as a tuple. (A network needs numbers: lesson 5
    # has a number for each class.)
    print("labels of the batch:", labels)
    # -> labels of the batch: ('ants', 'ants', 'ants')

    # Numbers come as a tensor. (A list has a length and [i], so it can be a Dataset.)
    loader = DataLoader([7, 8, 9], batch_size=3)
    print("numbers in a batch:", next(iter(loader)))
    # -> numbers in a batch: tensor([7, 8, 9])

    # %% These are the five arguments of a DataLoader that you need most
    loader = DataLoader(
        dataset=few,
        batch_size=10,      # samples in a batch
        shuffle=True,       # another order each time; False: the order of the Dataset
        num_workers=0,      # other processes that read samples; 0: this one reads them
        drop_last=False,    # keep the last batch, even if it has fewer samples
    )
    for pictures, _ in loader:
        print("shape of a batch:", pictures.shape)
    # -> shape of a batch: torch.Size([10, 3, 83, 100])
    #    shape of a batch: torch.Size([10, 3, 83, 100])
    #    shape of a batch: torch.Size([4, 3, 83, 100])

    # These four sizes are called NCHW: number of pictures, channels, height, width.

    # %% An epoch is one pass through all samples, an iteration is one batch
    # The loop above was one epoch, because it went through all 24 samples. It had three
    # iterations: 10 + 10 + 4 samples. len() gives the number of iterations.
    print(f"iterations with batch_size {loader.batch_size}:", len(loader))
    # -> iterations with batch_size 10: 3

    # drop_last=True leaves out the last batch if it is smaller than the others.
    loader = DataLoader(few, batch_size=10, drop_last=True)
    print("iterations with batch_size 10, drop_last=True:", len(loader))
    # -> iterations with batch_size 10, drop_last=True: 2

    print("iterations with batch_size 12:", len(DataLoader(few, batch_size=12)))
    # -> iterations with batch_size 12: 2
    print("iterations with batch_size 24:", len(DataLoader(few, batch_size=24)))
    # -> iterations with batch_size 24: 1
    print("iterations with batch_size 1, the default:", len(DataLoader(few)))
    # -> iterations with batch_size 1, the default: 24

    # %% shuffle=True gives each epoch another order
    # Why shuffle? In `both`, all ants come first, then all bees. A network that gets
    # only bees for a while forgets the ants.
    #
    # Here are numbers in the place of pictures, so that you can see their order:
    numbers = [0, 1, 2, 3, 4, 5, 6, 7]

    def order_of_each_epoch():
        # Shuffling needs random numbers. PyTorch's generator (it has nothing to do with
        # Python's `yield`) gives them one after the other, as from a long fixed list.
        # The seed is a number that says where in the list it begins. (Without
        # `generator=`, it begins somewhere else each time that you run the program.)
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

    # In each epoch, every number comes exactly once.

    # Epoch 2 goes on in the list where epoch 1 stopped. So its order is another one.

    # A second run begins at the same place in the list. It gets the same random
    # numbers, and so the same two orders. Therefore you can repeat a training run, for
    # example to find a mistake. (On another machine, or on a GPU, the last digits of
    # its results may differ.)
    second_run = order_of_each_epoch()
    print("a second run with the same seed is the same:", first_run == second_run)
    # -> a second run with the same seed is the same: True

    # %% Workers are processes that prepare the next batches
    # It takes time to read and resize pictures. Workers do it while the network trains
    # on the batch before. The order of the batches stays the same. (To start workers
    # takes time, too. With few pictures, as here, it is faster without.)
    without_workers = DataLoader(few, batch_size=10, num_workers=0)
    with_workers = DataLoader(few, batch_size=10, num_workers=WORKERS)

    # torch.cat joins the batches: (10, ...) + (10, ...) + (4, ...) -> (24, 3, 83, 100)
    expected = torch.cat([pictures for pictures, _ in without_workers])
    pictures = torch.cat([pictures for pictures, _ in with_workers])
    print("pictures are the same with workers:", torch.equal(pictures, expected))
    # -> pictures are the same with workers: True

    # %% TensorBoard shows that each epoch has another order
    # CIFAR-10 is the data set that the last lessons train with: pictures of ten
    # classes, 32x32 pixels each. Lesson 5 is about it. It is looked for, downloaded
    # (170 MB) or drawn, as the ants and bees are.
    # train=False takes the smaller part, which is for testing.
    test_data = cifar10(train=False, transform=to_tensor)

    generator = torch.Generator().manual_seed(SEED)
    loader = DataLoader(test_data, batch_size=64, shuffle=True, generator=generator)

    # A SummaryWriter writes down what TensorBoard, a program in the browser, will show.
    # Lesson 3 is about it. Each picture has a step: its place on the slider above it.
    # Here the step is the iteration.
    #
    # new_run makes a new folder in logs/ for what this run writes. The folder's name
    # ends in -drawn if the pictures are drawn.
    run = new_run(__file__, drawn=test_data.drawn)
    with SummaryWriter(run) as writer:
        writer.add_text("0 look at", LOOK_AT)    # for the Text tab; 0: first there
        for epoch in range(1, EPOCHS + 1):
            for step, (pictures, _) in enumerate(loader, start=1):
                # Half of the batch is enough. enlarge makes each pixel 4x4 pixels.
                half = enlarge(pictures[:32])    # (64, 3, 32, 32) -> (32, 3, 128, 128)
                # The tag says where to show it: group, /, title of the card. The 2 is
                # the number of this lesson.
                tag = f"2 shuffled/epoch {epoch}, first half of each batch"
                # add_images shows a batch as one picture. It expects NCHW, its default.
                writer.add_images(tag, half, global_step=step)
                if step == BATCHES_SHOWN:
                    break

    # The next call prints a command that shows this run. Type it into a terminal, in the
    # same folder in which you started the lesson. (The command at the top of this file
    # shows all runs of the lesson. It works in the folder that holds `lessons`.)
    print_where_to_look(run, LOOK_AT)


# Why main()? On Windows and macOS, and on Linux since Python 3.14, a worker is a new
# Python that first imports this file, because it needs the class MyData. In an import,
# __name__ is not "__main__". Without this `if`, the import would run the whole lesson
# again in each worker, and Python would stop it with an error.
if __name__ == "__main__":
    main()

# Try next:
# - Set `batch_size=7` for the loader with five arguments. How many iterations has an
#   epoch now, and how many samples has the last batch? First calculate, then run.
# - Set `resize = v2.RandomRotation(30, expand=True)`. It turns each picture by up to 30
#   degrees and makes it as large as it then needs to be. What does the error say, and
#   why?
# - Set `shuffle=False` in the last cell. Which pictures do the two epochs show now?
