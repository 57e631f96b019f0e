"""Makes the Thessaly Oake sample; run make.py beside this folder."""
