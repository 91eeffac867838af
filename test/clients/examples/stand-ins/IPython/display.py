"""Stand-in for the display of a notebook: prints what would be shown."""


class Image:
    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\xff\xd8"), "not a JPEG"
        self.data = data


class Handle:
    def update(self, image: Image) -> None:
        print(f"updated: {len(image.data)} bytes")


def display(image: Image, display_id: bool = False) -> "Handle | None":
    print(f"shown: {len(image.data)} bytes")
    return Handle() if display_id else None
