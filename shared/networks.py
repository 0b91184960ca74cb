"""The tutorial's two networks for CIFAR-10.

Not in a lesson: to load a whole network (lesson 11) imports its file, and so would run the lesson.
"""

from torch import Tensor, channels_last, nn


class CIFAR10Network(nn.Module):
    """The small network of chapter 9, `CIFAR10_Network`: 145,578 parameters.

    After the "CIFAR10-quick" model that comes with Caffe, without its activations: max pooling is
    all that keeps it from being one linear layer.
    Shapes: float32 (N, 3, 32, 32) -> float32 (N, 10), raw scores (logits).
    """

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=5, padding=2),     # (N, 3, 32, 32) -> (N, 32, 32, 32)
            nn.MaxPool2d(2),                                # -> (N, 32, 16, 16)
            nn.Conv2d(32, 32, kernel_size=5, padding=2),    # -> (N, 32, 16, 16)
            nn.MaxPool2d(2),                                # -> (N, 32, 8, 8)
            nn.Conv2d(32, 64, kernel_size=5, padding=2),    # -> (N, 64, 8, 8)
            nn.MaxPool2d(2),                                # -> (N, 64, 4, 4)
            nn.Flatten(),                                   # -> (N, 1024)
            nn.Linear(1024, 64),                            # -> (N, 64)
            nn.Linear(64, 10),                              # -> (N, 10)
        )
        self.to(memory_format=channels_last)    # faster, and no shape changes

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class CIFAR10NetSimpleV3(nn.Module):
    """Chapter 12's final network, `CIFAR10_Net_Simple_v3`: 419,690 parameters for ten classes.

    Six 3x3 convolutions, each followed by ReLU and batch normalisation
    (https://arxiv.org/abs/1502.03167), in three blocks that double the channels, each followed by a
    pooling, as in VGG (https://arxiv.org/abs/1409.1556). `dropout` is the share of values that
    training zeroes before each linear layer. The last pooling makes 4x4 of maps of any size (of 8x8
    just as the tutorial's MaxPool2d(2)), so pictures of other sizes than 32x32 fit, too.
    Shapes: float32 (N, 3, H, W) -> float32 (N, classes), raw scores (logits).
    """

    def __init__(self, classes: int = 10, dropout: float = 0.4):
        super().__init__()
        self.layers = nn.Sequential(
            *self._block(3, 32), nn.MaxPool2d(2),            # (N, 3, 32, 32) -> (N, 32, 16, 16)
            *self._block(32, 64), nn.MaxPool2d(2),           # -> (N, 64, 8, 8)
            *self._block(64, 128), nn.AdaptiveMaxPool2d(4),  # -> (N, 128, 4, 4)
            nn.Flatten(),                                    # -> (N, 2048)
            nn.Dropout(dropout),
            nn.Linear(2048, 64),                             # -> (N, 64)
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(64, classes),                          # -> (N, classes)
        )

    @staticmethod
    def _block(channels_in: int, channels_out: int) -> list[nn.Module]:
        return [
            nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
            nn.ReLU(inplace=True), nn.BatchNorm2d(channels_out),
            nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1),
            nn.ReLU(inplace=True), nn.BatchNorm2d(channels_out),
        ]

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
