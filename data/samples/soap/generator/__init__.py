"""Makes the SOAP sample; see make.py."""
