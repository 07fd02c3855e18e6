"""What a user may say of a plate, and what is answered to the rest."""

import pytest

from gymform.bar.mark import check_numbers, check_place
from gymform.errors import OptionsError

SIZE = (600, 400)


@pytest.mark.parametrize(
    ("plate", "said"),
    [
        ("x", "four numbers"),
        ((0, 1, 2), "four numbers"),
        ((0, 1, 2, 3, 4), "four numbers"),
        ((0, 1, 2, None), "four numbers"),
        ((float("nan"), 1, 2, 3), "four numbers"),
        ((0, float("inf"), 2, 3), "four numbers"),
        (5, "four numbers"),
        ((0, 1, 2, -3), "radius -3"),
        ((0, 1, 2, 0), "radius 0"),
        ((-1, 1, 2, 3), "second -1"),
    ],
)
def test_what_is_no_plate_is_refused_in_words(plate, said):
    with pytest.raises(OptionsError, match=said):
        check_numbers(plate)


@pytest.mark.parametrize(
    "plate", [(0, 0, 0, 50), (2, 599, 399, 50), (2.05, 300, 200, 3), (1, -40, 20, 60)]
)
def test_a_plate_in_the_picture_even_in_part_is_one(plate):
    check_numbers(plate)
    check_place(plate, SIZE, 2.0)


@pytest.mark.parametrize(
    ("plate", "said"),
    [
        ((99, 300, 200, 50), "second 99, and the clip ends at 2.00 s"),
        ((0, 5000, 200, 50), "outside the frame of 600 x 400 px"),
        ((0, 300, -60, 50), "outside the frame"),
        ((0, 300, 200, 5000), "expected 3 to 600 px"),
        ((0, 300, 200, 0.01), "expected 3 to 600 px"),
    ],
)
def test_a_plate_that_is_not_in_the_picture_is_refused_with_what_came(plate, said):
    with pytest.raises(OptionsError, match=said):
        check_place(plate, SIZE, 2.0)
