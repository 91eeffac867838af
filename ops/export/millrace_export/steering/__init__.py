"""Steering by pictures: ControlNets, T2I-Adapters, an IP-Adapter and attention banks, beside the plain U-Net."""
